import { RouseError } from "@rouse/protocol"
import { processEnv } from "../env.ts"
import type { Env } from "../env.ts"
import type { EntityDefinition } from "../entity.ts"
import type { Host, ModelResolver } from "../host.ts"
import type { OutboundFetch } from "../http/outbound.ts"
import { silentLog } from "../log.ts"
import type { Log } from "../log.ts"
import type { SecretResolver } from "../secrets/secret.ts"

/** What handlers outside of the server have in common. */
export interface RemoteOptions {
  readonly entities: Iterable<EntityDefinition>
  /** The server's address, such as `https://rouse.example.com`. `ROUSE_URL` of the environment when absent. */
  readonly server?: string
  /** The version of this code: letters, digits and `._+-`, at most 64. The digest of what was built, a tag, a commit. */
  readonly version?: string
  /** Environment variables, for keys of models. The process's own when absent. */
  readonly env?: Env
  /** How names of models become models. From `env` when absent. */
  readonly models?: ModelResolver
  /** Finds the values of secrets. In `env` when absent. */
  readonly secrets?: SecretResolver
  /** How tools reach services. The runtime's `fetch` when absent. */
  readonly outbound?: OutboundFetch
  /** Whether tools may call this machine and its network without saying so: for development. No when absent. */
  readonly isPrivateAllowed?: boolean
  readonly log?: Log
  /** How long text may wait before it is on the log as a delta, milliseconds. 50 when absent; Infinity: no deltas. */
  readonly deltaMs?: number
  /** Calls the server. The runtime's when absent. */
  readonly fetch?: typeof fetch
}

/** The server's address, without a slash at its end. @throws {RouseError} `INVALID_ARGS`. */
export function serverOf(options: RemoteOptions, name: string): string {
  const server = options.server ?? (options.env ?? processEnv())["ROUSE_URL"]
  if (server === undefined || !URL.canParse(server))
    throw new RouseError("INVALID_ARGS", `${name}: server must be the address of a Rouse server; or set ROUSE_URL`)
  const { href } = new URL(server)
  return href.endsWith("/") ? href.slice(0, -1) : href
}

/** @throws {RouseError} `INVALID_ARGS` when there are none, or two of a name. */
export function entitiesOf(options: RemoteOptions, name: string): ReadonlyMap<string, EntityDefinition> {
  const entities = new Map<string, EntityDefinition>()
  for (const entity of options.entities) {
    if (entities.has(entity.name))
      throw new RouseError("INVALID_ARGS", `${name}: two entities are named "${entity.name}"`)
    entities.set(entity.name, entity)
  }
  if (entities.size === 0) throw new RouseError("INVALID_ARGS", `${name}: entities must not be empty`)
  return entities
}

/** The providers of an environment; the process's own when absent. */
export type ModelsIn = (env?: Env) => ModelResolver

/**
 * What wakes are given of the host. The same for the same variables, so that a secret which one wake resolved is taken out of what the next
 * one writes.
 */
export class Hosts {
  readonly #options: RemoteOptions
  readonly #modelsIn: ModelsIn | undefined
  #last: { readonly env: Env | undefined; readonly host: Host } | undefined

  /** @param modelsIn Where models come from when the options do not say. */
  constructor(options: RemoteOptions, modelsIn?: ModelsIn) {
    this.#options = options
    this.#modelsIn = modelsIn
  }

  /** @param env Of this invocation, where the runtime passes it. */
  of(env?: Env): Host {
    const vars = env ?? this.#options.env
    if (this.#last === undefined || !isSame(this.#last.env, vars))
      this.#last = { env: vars, host: makeHost(this.#options, vars, this.#modelsIn) }
    return this.#last.host
  }
}

function isSame(a: Env | undefined, b: Env | undefined): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined) return false
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}

function makeHost(options: RemoteOptions, env: Env | undefined, modelsIn: ModelsIn | undefined): Host {
  const models = options.models ?? modelsIn?.(env)
  const { log = silentLog, secrets, outbound, isPrivateAllowed, deltaMs } = options
  return {
    clock: Date.now,
    random: Math.random,
    log,
    ...(env === undefined ? {} : { env }),
    ...(models === undefined ? {} : { models }),
    ...(secrets === undefined ? {} : { secrets }),
    ...(outbound === undefined ? {} : { fetch: outbound }),
    ...(isPrivateAllowed === undefined ? {} : { isPrivateAllowed }),
    ...(deltaMs === undefined ? {} : { deltaMs }),
  }
}
