import { RouseError } from "@rouse/protocol"
import type { Log } from "@rouse/server"
import { resolve } from "node:path"
import { pino } from "pino"
import { isLoopback } from "../core/arguments.ts"
import type { ExitCode } from "../core/failure.ts"
import { onCrash } from "../host/crash.ts"
import { entityFiles } from "../host/entity-files.ts"
import { installHooks } from "../host/hooks.ts"
import { hostServer } from "../host/host-server.ts"
import { installGlobals, loadEntities } from "../host/load.ts"
import { stopped } from "../host/stopped.ts"
import { readTokens } from "../host/tokens.ts"
import type { Io } from "../io.ts"
import { version } from "../version.ts"

export interface StartFlags {
  readonly host: string
  readonly port: number
  readonly data: string
  readonly tokens?: string
  readonly logLevel: string
  readonly json?: boolean
}

/** `rouse start [files…]`: until SIGTERM or SIGINT. */
export async function start(named: readonly string[], flags: StartFlags, io: Io): Promise<ExitCode> {
  const tokens = await readTokens(flags.tokens, io)
  if (tokens.length === 0 && !isLoopback(flags.host)) {
    throw new RouseError("FORBIDDEN", `others can reach ${flags.host}, so tokens are needed: --tokens <file>, ROUSE_TOKENS_FILE or ROUSE_TOKEN`)
  }
  const modules = installHooks()
  installGlobals()
  const { files } = await entityFiles(io.cwd, named)
  const entities = await loadEntities(modules, { files, number: 1, each: named.length > 0, cwd: io.cwd })
  const log = jsonLog(flags.logLevel)
  const directory = resolve(io.cwd, flags.data)
  const hosted = await hostServer({ entities: entities.values(), directory, host: flags.host, port: flags.port, tokens, log }, io)
  onCrash(log)
  const facts = { url: hosted.url, data: directory, types: [...entities.keys()], pid: process.pid }
  if (flags.json === true) io.out(`${JSON.stringify(facts)}\n`)
  log.info("ready", { ...facts, version: version(), resumed: hosted.resumed, tokens: tokens.length })
  await stopped(io.stop)
  log.info("stopping")
  await hosted.close()
  log.info("stopped")
  return 0
}

/** The server's log as JSON lines on standard output. */
function jsonLog(level: string): Log {
  const logger = pino({ level })
  return {
    debug: (message, fields = {}) => logger.debug(fields, message),
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
  }
}
