import { RouseError } from "@rouse/protocol"
import type { IdleRule, Log } from "@rouse/server"
import type { Store } from "@rouse/store"
import type { RetentionRule } from "@rouse/streams"
import { resolve } from "node:path"
import { isLoopback } from "../core/arguments.ts"
import type { ExitCode } from "../core/failure.ts"
import { onCrash } from "../host/crash.ts"
import { placeOfData, withStore } from "../host/data.ts"
import type { Hosted } from "../host/host-server.ts"
import { jsonLog } from "../host/json-log.ts"
import { stopped } from "../host/stopped.ts"
import { hasTokens, refuseOpenOrigins } from "../host/tokens.ts"
import type { Io } from "../io.ts"
import { version } from "../version.ts"

export interface StartFlags {
  readonly host: string
  readonly port: number
  readonly data: string
  readonly tokens?: string
  readonly rateLimit?: number
  readonly corsOrigin?: readonly string[]
  readonly publicUrl?: string
  readonly retention?: readonly RetentionRule[]
  readonly deleteIdle?: readonly IdleRule[]
  readonly allowLoopbackWebhooks?: boolean
  readonly policy?: string
  readonly webhooks?: string
  readonly pgSource?: readonly string[]
  readonly logLevel: string
  readonly json?: boolean
}

/** `rouse start [files…]`: until SIGTERM or SIGINT. */
export async function start(named: readonly string[], flags: StartFlags, io: Io): Promise<ExitCode> {
  if (!isLoopback(flags.host) && !hasTokens(flags.tokens, io)) {
    throw new RouseError(
      "BAD_REQUEST",
      `others can reach ${flags.host}, so tokens are needed: --tokens <file>, ROUSE_TOKENS_FILE or ROUSE_TOKEN`,
    )
  }
  refuseOpenOrigins(flags, io)
  const directory = resolve(io.cwd, flags.data)
  const { hosted, types, log } = await withStore(directory, io, (store) => serve(named, flags, store, io))
  const facts = { url: hosted.url, data: placeOfData(directory, io), types, pid: process.pid }
  if (flags.json === true) io.out(`${JSON.stringify(facts)}\n`)
  log.info("ready", { ...facts, version: version(), resumed: hosted.resumed })
  await stopped(io.stop)
  log.info("stopping")
  await hosted.close()
  log.info("stopped")
  return 0
}

interface Serving {
  readonly hosted: Hosted
  readonly types: readonly string[]
  readonly log: Log
}

async function serve(named: readonly string[], flags: StartFlags, store: Promise<Store>, io: Io): Promise<Serving> {
  const [{ loadProject }, { hostServer }, { readTokens }, { readPolicy }] = await Promise.all([
    import("../host/project.ts"),
    import("../host/host-server.ts"),
    import("../host/read-tokens.ts"),
    import("../host/read-policy.ts"),
  ])
  const tokens = await readTokens(flags.tokens, io)
  const policy = await readPolicy(flags.policy, io)
  const { entities } = await loadProject(named, io.cwd)
  const log = jsonLog(flags.logLevel)
  const hosted = await hostServer({ ...flags, entities: entities.values(), store, tokens, policy, log }, io)
  onCrash(log)
  return { hosted, types: [...entities.keys()], log }
}
