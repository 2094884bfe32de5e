import type { Log } from "@rouse/server"
import { pino } from "pino"

/** The server's log as JSON lines on standard output. */
export function jsonLog(level: string): Log {
  const logger = pino({ level })
  return {
    debug: (message, fields = {}) => logger.debug(fields, message),
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
  }
}
