import type { LanguageModelV4 } from "@ai-sdk/provider"
import type { HandlerCommit } from "@rouse/protocol"
import type { EntityDefinition } from "../entity.ts"
import type { Host, ModelResolver, World } from "../host.ts"
import type { OutboundFetch } from "../http/outbound.ts"
import { silentLog } from "../log.ts"
import type { Log } from "../log.ts"
import { modelResolver } from "../models.ts"
import type { SecretResolver } from "../secrets/secret.ts"

export interface TestRouseOptions {
  /** Everything that `defineEntity` registered when absent. */
  readonly entities?: readonly EntityDefinition[]
  /** Where the virtual clock begins, milliseconds since the Unix epoch. 2026-01-01 when absent. */
  readonly startMs?: number
  /** Models by name, before the usual ones. */
  readonly models?: Readonly<Record<string, LanguageModelV4>>
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Secrets by name: in `env` when absent. */
  readonly secrets?: SecretResolver
  /** Stands in for the network that tools call. */
  readonly fetch?: OutboundFetch
  readonly log?: Log
  /** In [0, 1). Always 0.5 when absent. */
  readonly random?: () => number
  /** Stands between handlers and the world. */
  readonly world?: World
  /** How names become models, in place of `models` and the usual ones. */
  readonly resolveModels?: ModelResolver
  /** Sees and changes each commit before it is applied. */
  readonly onCommit?: (commit: HandlerCommit) => HandlerCommit
  /** As the host's: no deltas when absent. */
  readonly deltaMs?: number
}

/** The process of an in-memory Rouse: what handlers need beside the plane. Nothing of it is the machine's own. */
export function testHost(options: TestRouseOptions, time: Required<Pick<Host, "clock" | "sleep">>): Host {
  const env = options.env ?? {}
  const usual = modelResolver({ env })
  const own = new Map(Object.entries(options.models ?? {}))
  return {
    ...time,
    random: options.random ?? (() => 0.5),
    env,
    log: options.log ?? silentLog,
    isPrivateAllowed: true,
    ...(options.secrets ? { secrets: options.secrets } : {}),
    ...(options.fetch ? { fetch: options.fetch } : {}),
    deltaMs: options.deltaMs ?? Infinity,
    ...(options.world ? { world: options.world } : {}),
    models: async (name) => {
      if (options.resolveModels) return await options.resolveModels(name)
      const model = own.get(name)
      return model ? { model, name } : await usual(name)
    },
  }
}
