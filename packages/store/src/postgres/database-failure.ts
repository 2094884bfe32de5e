import { RouseError } from "@rouse/protocol"

/** What an error of the database says of the statement that it ended. */
export type Fate =
  /** It did nothing, and may do something when it is tried again: others were in the way. */
  | "again"
  /** It did nothing, and will not: its values are at fault. */
  | "refused"
  /** It did nothing: the database cannot do it now. */
  | "unavailable"
  /** The connection was lost before the answer: nobody here knows. */
  | "unknown"

/** An error of the database, without what was asked of it: that is the user's. */
export class DatabaseError extends Error {
  readonly fate: Fate
  readonly sqlState: string

  constructor(fate: Fate, sqlState: string, message: string) {
    super(message)
    this.name = "DatabaseError"
    this.fate = fate
    this.sqlState = sqlState
  }
}

const AGAIN: ReadonlySet<string> = new Set(["40001", "40P01", "55P03", "23505"])
/** Classes of SQLSTATE that say that the database cannot do it now. */
const UNAVAILABLE: ReadonlySet<string> = new Set(["25", "28", "3D", "3F", "42", "53", "54", "55", "58", "57", "F0", "XX"])
/** Before a connection there was nothing to be lost. */
const NEVER_SENT: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "CONNECT_TIMEOUT", "ENOENT", "EHOSTUNREACH"])
/** The server ends: by then the statement may be done. */
const ENDING: ReadonlySet<string> = new Set(["57P01", "57P02", "57P03", "57P05"])

/** What the driver threw, as one of ours. `STORE_UNAVAILABLE` only where it is certain that nothing was done. */
export function databaseFailure(error: unknown, where: string): unknown {
  if (RouseError.is(error) || error instanceof DatabaseError || !(error instanceof Error)) return error
  const code = "code" in error && typeof error.code === "string" ? error.code : ""
  const fate = fateOf(code)
  if (fate === "unavailable") return unavailable(where, code, error.message)
  return new DatabaseError(fate, code, `${where}: ${error.message}`)
}

export function unavailable(where: string, code: string, message: string): RouseError {
  return new RouseError("STORE_UNAVAILABLE", `${where} cannot be used: ${message}`, { details: { where, cause: code } })
}

function fateOf(code: string): Fate {
  if (AGAIN.has(code)) return "again"
  if (NEVER_SENT.has(code)) return "unavailable"
  if (ENDING.has(code)) return "unknown"
  if (/^[0-9A-Z]{5}$/.test(code)) {
    if (code.startsWith("08")) return "unknown"
    return UNAVAILABLE.has(code.slice(0, 2)) ? "unavailable" : "refused"
  }
  return "unknown"
}
