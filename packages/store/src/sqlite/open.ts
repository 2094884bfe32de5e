import type { DatabaseSync } from "node:sqlite"
import { refuseMoved } from "../core/move-mark.ts"
import type { Store } from "../store.ts"
import { connectMemory, connectReader } from "./connect.ts"
import type { Sync, Tuning } from "./connect.ts"
import { checkFile, lockDirectory, prepareDirectory } from "./directory.ts"
import type { DataFiles } from "./directory.ts"
import { Engine } from "./engine.ts"
import { storeFailure } from "./failure.ts"
import { checkStamps, migrate, readMark } from "./migrate.ts"
import { Reader } from "./reader.ts"
import { SqliteStore } from "./sqlite-store.ts"
import { WorkerWriter } from "./worker-writer.ts"
import type { WriterData } from "./worker-writer.ts"
import { InlineWriter } from "./writer-port.ts"

export interface MemoryStoreOptions {
  /** Milliseconds since the Unix epoch. */
  readonly clock: () => number
  /** From 0 to 1. Used once in a store's life, to tell its offsets from another's. */
  readonly random?: () => number
  /** Commits that may wait for the writer; beyond it they are refused with `OVERLOADED`. */
  readonly commitsQueuedMax?: number
}

export interface StoreOptions extends MemoryStoreOptions {
  /** The data directory. Made if it is not there. */
  readonly directory: string
  /** `off` gives up durability at a loss of power: for tests. */
  readonly sync?: Sync
  /** Bounds the size of the database file in pages of 4 KiB: a disk that is full, for tests. */
  readonly pagesMax?: number
}

/**
 * Opens the embedded engine on a directory, which this process then owns until `close`. Takes no longer for a large store.
 *
 * @throws {RouseError} `STORE_LOCKED` when another process owns it; `STORE_UNAVAILABLE` when it cannot be made, read or written;
 *   `STORE_DAMAGED` when what is there is not a store, is damaged, or was written by a newer Rouse: the file is left as it is;
 *   `STORE_MOVED` when it was moved elsewhere, or is no whole copy.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const releases: (() => void | Promise<void>)[] = []
  const release = async (): Promise<void> => {
    for (const undo of releases.splice(0).reverse()) await undo()
  }
  try {
    const files = prepareDirectory(options.directory)
    releases.push(lockDirectory(files))
    const present = checkFile(files) === "present" ? openReader(files) : undefined
    if (present !== undefined) releases.push(() => present.close())
    const writer = await WorkerWriter.start(writerData(files, options))
    releases.push(() => writer.close())
    const db = present ?? connectReader(files.database)
    if (present === undefined) releases.push(() => db.close())
    const reader = new Reader(db, options.clock)
    return new SqliteStore({ ...options, writer, reader, where: files.directory, release })
  } catch (error) {
    await release()
    throw storeFailure(error, options.directory)
  }
}

/** The same engine with nothing on disk: everything happens in this thread, and ends with `close`. For tests. */
export function openMemoryStore(options: MemoryStoreOptions): Promise<Store> {
  const where = "memory"
  const db = connectMemory()
  migrate(db, (options.random ?? Math.random)())
  const writer = new InlineWriter(new Engine(db, where), where)
  const release = async (): Promise<void> => {
    db.close()
  }
  return Promise.resolve(new SqliteStore({ ...options, writer, reader: new Reader(db, options.clock), where, release }))
}

/** Looks at the stamps before anything can write. */
function openReader(files: DataFiles): DatabaseSync {
  const db = connectReader(files.database)
  try {
    checkStamps(db, files.directory)
    refuseMoved(readMark(db), files.directory)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function writerData(files: DataFiles, options: StoreOptions): WriterData {
  const { sync = "full", pagesMax, random = Math.random } = options
  const tuning: Tuning = { sync, ...(pagesMax === undefined ? {} : { pagesMax }) }
  return { file: files.database, where: files.directory, tuning, seed: random() }
}
