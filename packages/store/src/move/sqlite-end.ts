import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs"
import { join, resolve } from "node:path"
import type { DatabaseSync } from "node:sqlite"
import { RouseError } from "@rouse/protocol"
import { formatMark, MOVE_KEY, parseMark } from "../core/move-mark.ts"
import type { MoveMark } from "../core/move-mark.ts"
import { connectReader, connectWriter } from "../sqlite/connect.ts"
import { checkFile, lockDirectory, prepareDirectory } from "../sqlite/directory.ts"
import type { DataFiles } from "../sqlite/directory.ts"
import { storeFailure } from "../sqlite/failure.ts"
import { checkStamps, migrate, readMark, readNonce } from "../sqlite/migrate.ts"
import type { Found, MoveEnd, StoreReader, StoreWriter } from "./end.ts"
import { SqliteReader } from "./sqlite-read.ts"
import { SqliteWriter } from "./sqlite-write.ts"
import { MOVE_TABLES } from "./tables.ts"

/** Pages of the cache while a store is written, in KiB; and of the log before it goes into the file. */
const COPY_CACHE_KIB = 65_536
const COPY_LOG_PAGES = 4_096
const PRIVATE_FILE = 0o600

/** A data directory as one end of a move. */
export class SqliteEnd implements MoveEnd {
  readonly where: string
  #files: DataFiles | undefined
  #unlock: (() => void) | undefined
  #db: DatabaseSync | undefined

  constructor(directory: string) {
    this.where = resolve(directory)
  }

  async claim(role: "source" | "target"): Promise<Found> {
    if (role === "source" && !existsSync(join(this.where, "rouse.db"))) return { kind: "empty" }
    return this.#try(() => {
      const files = prepareDirectory(this.where)
      this.#files = files
      this.#unlock = this.#lock(files)
      if (checkFile(files) === "absent") return { kind: "empty" }
      this.#checkStamps(files)
      const db = connectWriter(files.database, { sync: "full" })
      this.#db = db
      return foundIn(db)
    })
  }

  async reader(): Promise<StoreReader> {
    return this.#try(() => {
      migrate(this.#open(), 0)
      return new SqliteReader(this.#open())
    })
  }

  async begin(mark: MoveMark): Promise<StoreWriter> {
    return this.#try(() => {
      const files = this.#files
      if (files === undefined) throw new Error("a target is claimed before it is begun")
      this.#db?.close()
      this.#db = undefined
      renewDatabase(files, mark)
      const db = connectWriter(files.database, { sync: "off" })
      db.exec(`PRAGMA cache_size = -${COPY_CACHE_KIB}; PRAGMA wal_autocheckpoint = ${COPY_LOG_PAGES}`)
      this.#db = db
      return new SqliteWriter(db)
    })
  }

  /** What was written without a sync is on disk before the mark says so. */
  async setMark(mark: MoveMark): Promise<void> {
    this.#try(() => {
      const db = this.#open()
      db.exec("PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)")
      putMark(db, mark)
    })
  }

  async publish(): Promise<void> {
    this.#try(() => {
      this.#open().exec("PRAGMA synchronous = FULL")
      this.#open().prepare("DELETE FROM meta WHERE key = ?").run(MOVE_KEY)
    })
  }

  async close(): Promise<void> {
    this.#db?.close()
    this.#db = undefined
    this.#unlock?.()
    this.#unlock = undefined
  }

  #open(): DatabaseSync {
    if (this.#db === undefined) throw new Error(`${this.where} is not open`)
    return this.#db
  }

  #lock(files: DataFiles): () => void {
    try {
      return lockDirectory(files)
    } catch (error) {
      if (!RouseError.is(error, "STORE_LOCKED")) throw error
      const message = `a server, or another program, has ${this.where}: stop it first`
      throw new RouseError("CONFLICT", message, { cause: error, details: { where: this.where, busy: true } })
    }
  }

  #checkStamps(files: DataFiles): void {
    const db = connectReader(files.database)
    try {
      checkStamps(db, files.directory)
    } finally {
      db.close()
    }
  }

  #try<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw storeFailure(error, this.where)
    }
  }
}

function foundIn(db: DatabaseSync): Found {
  const has = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?")
  if (has.get("meta") === undefined) return { kind: "empty" }
  const mark = parseMark(readMark(db))
  const isEmpty = MOVE_TABLES.filter(({ name }) => name !== "era" && has.get(name) !== undefined).every(
    ({ name }) => db.prepare(`SELECT 1 FROM "${name}" LIMIT 1`).get() === undefined,
  )
  return mark === undefined && isEmpty ? { kind: "empty" } : { kind: "store", nonce: readNonce(db), mark }
}

/** The new file takes the place of the old one in one step: whoever opens the directory finds the old mark, or the new one. */
function renewDatabase(files: DataFiles, mark: MoveMark): void {
  const made = `${files.database}.new`
  for (const suffix of ["", "-wal", "-shm"]) rmSync(made + suffix, { force: true })
  closeSync(openSync(made, "a", PRIVATE_FILE))
  const db = connectWriter(made, { sync: "full" })
  migrate(db, 0)
  putMark(db, mark)
  db.close()
  for (const suffix of ["-wal", "-shm"]) rmSync(files.database + suffix, { force: true })
  renameSync(made, files.database)
  const directory = openSync(files.directory, "r")
  fsyncSync(directory)
  closeSync(directory)
}

function putMark(db: DatabaseSync, mark: MoveMark): void {
  db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)").run(MOVE_KEY, formatMark(mark))
}
