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
const UNAVAILABLE: ReadonlySet<string> = new Set([
  "25",
  "28",
  "3D",
  "3F",
  "42",
  "53",
  "54",
  "55",
  "58",
  "57",
  "F0",
  "XX",
])
/** The table of locks is full: fewer at once may do. */
const TOO_MANY_LOCKS = "53200"
/** Before a connection there was nothing to be lost. */
const NEVER_SENT: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "CONNECT_TIMEOUT",
  "ENOENT",
  "EHOSTUNREACH",
  "ENETUNREACH",
])
/** The server ends: by then the statement may be done. */
const ENDING: ReadonlySet<string> = new Set(["57P01", "57P02", "57P03", "57P05"])

/** What the driver threw, as one of ours. `STORE_UNAVAILABLE` only where it is certain that nothing was done. */
export function databaseFailure(error: unknown, where: string): unknown {
  if (RouseError.is(error) || error instanceof DatabaseError || !(error instanceof Error)) return error
  const code = "code" in error && typeof error.code === "string" ? error.code : ""
  const fate = isOfOpen(error) ? "unknown" : fateOf(code)
  if (fate === "unavailable") return unavailable(where, code, error.message)
  return new DatabaseError(fate, code, `${where}: ${error.message}`)
}

export function unavailable(where: string, code: string, message: string): RouseError {
  return new RouseError("STORE_UNAVAILABLE", `${where} cannot be used: ${message}`, { details: { where, cause: code } })
}

/**
 * Of one commit by itself: what its sender is told.
 *
 * Class 22 is of values: text with U+0000, or with half of a character.
 */
export function refusalOf(error: DatabaseError, where: string): RouseError {
  const details = { where, sqlState: error.sqlState }
  if (error.sqlState === TOO_MANY_LOCKS) return unavailable(where, error.sqlState, error.message)
  if (error.sqlState.startsWith("22")) {
    const message = "a name or key has a character that the database cannot keep: U+0000, or half of a pair"
    return new RouseError("BAD_REQUEST", message, { details })
  }
  return new RouseError("INTERNAL", error.message, { details })
}

/** Whether an open connection failed: then the code, `EHOSTUNREACH` say, is that of its end, and something may have been sent. */
function isOfOpen(error: Error): boolean {
  return "syscall" in error && (error.syscall === "read" || error.syscall === "write")
}

function fateOf(code: string): Fate {
  if (AGAIN.has(code)) return "again"
  if (code === TOO_MANY_LOCKS) return "refused"
  if (NEVER_SENT.has(code)) return "unavailable"
  if (ENDING.has(code)) return "unknown"
  if (/^[0-9A-Z]{5}$/.test(code)) {
    if (code.startsWith("08")) return "unknown"
    return UNAVAILABLE.has(code.slice(0, 2)) ? "unavailable" : "refused"
  }
  return "unknown"
}
