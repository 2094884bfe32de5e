import { closeSync, mkdirSync, openSync, readSync, statSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { RouseError } from "@rouse/protocol"
import { primaryCode } from "./failure.ts"

const SQLITE_BUSY = 5
/** The store holds secrets: nobody else on the machine reads it. SQLite gives its other files the mode of the database. */
const PRIVATE_FILE = 0o600
const PRIVATE_DIRECTORY = 0o700
const MAGIC = "SQLite format 3\0"

/** What a data directory holds. */
export interface DataFiles {
  readonly directory: string
  readonly database: string
  readonly lock: string
}

/** Makes the directory if it is not there. */
export function prepareDirectory(given: string): DataFiles {
  const directory = resolve(given)
  makeDirectory(directory)
  if (!statSync(directory).isDirectory()) {
    throw new RouseError("STORE_UNAVAILABLE", `${directory} is not a directory`, { details: { where: directory } })
  }
  const database = join(directory, "rouse.db")
  closeSync(openSync(database, "a", PRIVATE_FILE))
  return { directory, database, lock: join(directory, "rouse.lock") }
}

/** Step by step: Node's own recursion never ends where a parent exists and takes no children, as in `/proc`. */
function makeDirectory(directory: string): void {
  if (statSync(directory, { throwIfNoEntry: false }) !== undefined) return
  const parent = dirname(directory)
  if (parent !== directory) makeDirectory(parent)
  mkdirSync(directory, { mode: PRIVATE_DIRECTORY })
}

/**
 * Takes the directory for this process: an exclusive lock on a file of its own, which the system releases when the process
 * ends, however it ends.
 *
 * @returns what releases it.
 * @throws {RouseError} `STORE_LOCKED`.
 */
export function lockDirectory(files: DataFiles): () => void {
  const lock = new DatabaseSync(files.lock, { timeout: 0 })
  try {
    lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE")
  } catch (error) {
    lock.close()
    if (primaryCode(error) !== SQLITE_BUSY) throw error
    throw new RouseError("STORE_LOCKED", `another process owns ${files.directory}`, {
      cause: error,
      details: { where: files.directory },
    })
  }
  return () => {
    lock.close()
  }
}

/**
 * Refuses a file that is no database before anything opens it for writing.
 *
 * @throws {RouseError} `STORE_DAMAGED`.
 */
export function checkFile(files: DataFiles): "absent" | "present" {
  const head = readHead(files.database)
  if (head === undefined || head.length === 0) return "absent"
  if (head.toString("latin1") === MAGIC) return "present"
  throw new RouseError("STORE_DAMAGED", `${files.database} is not a Rouse store, or is damaged`, {
    details: { where: files.directory },
  })
}

function readHead(file: string): Buffer | undefined {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return undefined
  const descriptor = openSync(file, "r")
  try {
    const head = Buffer.alloc(MAGIC.length)
    return head.subarray(0, readSync(descriptor, head))
  } finally {
    closeSync(descriptor)
  }
}
