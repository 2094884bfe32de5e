import type { Log, LogFields } from "@rouse/server"
import type { Io } from "../io.ts"
import { printable } from "../output/text.ts"

/** The server's log for a person: warnings and errors on standard error. */
export function terminalLog(io: Io): Log {
  const { yellow, red, dim } = io.errColor
  const write = (mark: string, message: string, fields?: LogFields): void =>
    io.err(`${mark} ${message}${fields === undefined ? "" : ` ${dim(fieldText(fields))}`}\n`)
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: (message, fields) => write(yellow("!"), message, fields),
    error: (message, fields) => write(red("✗"), message, fields),
  }
}

function fieldText(fields: LogFields): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}: ${printable(typeof value === "string" ? value : (JSON.stringify(value) ?? ""))}`)
    .join("  ")
}
