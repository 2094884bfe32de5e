import { RouseError } from "@rouse/protocol"
import type { RetentionRule } from "@rouse/streams"
import { resolve } from "node:path"
import { isLoopback } from "../core/arguments.ts"
import type { ExitCode } from "../core/failure.ts"
import { onCrash } from "../host/crash.ts"
import { placeOfData, withStore } from "../host/data.ts"
import { jsonLog } from "../host/json-log.ts"
import { stopped } from "../host/stopped.ts"
import { hasTokens, refuseOpenOrigins } from "../host/tokens.ts"
import type { Io } from "../io.ts"
import { version } from "../version.ts"

export interface StreamsFlags {
  readonly host: string
  readonly port: number
  readonly data: string
  readonly tokens?: string
  readonly longPollMs?: number
  readonly rateLimit?: number
  readonly corsOrigin?: readonly string[]
  readonly publicUrl?: string
  readonly retention?: readonly RetentionRule[]
  readonly allowLoopbackWebhooks?: boolean
  readonly logLevel: string
  readonly json?: boolean
}

/** `rouse streams`: until SIGTERM or SIGINT. */
export async function streams(flags: StreamsFlags, io: Io): Promise<ExitCode> {
  const needsTokens = !isLoopback(flags.host)
  if (needsTokens && !hasTokens(flags.tokens, io)) {
    throw new RouseError(
      "BAD_REQUEST",
      `others can reach ${flags.host}, so tokens are needed: --tokens <file>, ROUSE_TOKENS_FILE or ROUSE_TOKEN`,
    )
  }
  refuseOpenOrigins(flags, io)
  const directory = resolve(io.cwd, flags.data)
  const log = jsonLog(flags.logLevel)
  const hosted = await withStore(directory, io, async (store) => {
    const { hostStreams } = await import("../host/host-streams.ts")
    const tokens = hasTokens(flags.tokens, io)
      ? await (await import("../host/read-tokens.ts")).readTokens(flags.tokens, io)
      : []
    return hostStreams({ ...flags, store, tokens, log }, io)
  })
  onCrash(log)
  const facts = { url: hosted.url, streams: hosted.streamsUrl, data: placeOfData(directory, io), pid: process.pid }
  if (flags.json === true) io.out(`${JSON.stringify(facts)}\n`)
  log.info("ready", { ...facts, version: version() })
  await stopped(io.stop)
  log.info("stopping")
  await hosted.close()
  log.info("stopped")
  return 0
}
