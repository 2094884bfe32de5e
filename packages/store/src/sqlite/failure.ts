import { RouseError } from "@rouse/protocol"

/** What SQLite's primary result codes mean for a store. */
const DAMAGED: ReadonlySet<number> = new Set([11, 26])
const UNAVAILABLE: ReadonlySet<number> = new Set([3, 5, 6, 7, 8, 10, 13, 14, 23])
const FILE_ERRORS: ReadonlySet<string> = new Set([
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOSPC",
  "EDQUOT",
  "ENOTDIR",
  "EEXIST",
  "EISDIR",
  "EIO",
  "ENOENT",
  "EMFILE",
  "ENFILE",
  "ENAMETOOLONG",
  "ELOOP",
])

/**
 * What a failure of the database or the file system is to a caller: `STORE_UNAVAILABLE` when the place cannot be used now,
 * `STORE_DAMAGED` when what is there cannot be trusted. Anything else is returned as it was.
 */
export function storeFailure(error: unknown, where: string): unknown {
  if (RouseError.is(error) || !(error instanceof Error)) return error
  const sqlite = primaryCode(error)
  const file = "code" in error && typeof error.code === "string" ? error.code : ""
  const details = { where }
  if (sqlite !== undefined && DAMAGED.has(sqlite)) {
    return new RouseError("STORE_DAMAGED", `${where} is damaged: ${error.message}`, { cause: error, details })
  }
  if ((sqlite !== undefined && UNAVAILABLE.has(sqlite)) || FILE_ERRORS.has(file)) {
    return new RouseError("STORE_UNAVAILABLE", `${where} cannot be used: ${error.message}`, { cause: error, details })
  }
  return error
}

/** SQLite's primary result code. */
export function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined
  return error.errcode & 0xff
}
