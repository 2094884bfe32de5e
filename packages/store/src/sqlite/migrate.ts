import type { DatabaseSync } from "node:sqlite"
import { RouseError } from "@rouse/protocol"
import { MOVE_KEY } from "../core/move-mark.ts"
import { APPLICATION_ID, MIGRATIONS } from "./schema.ts"

const NONCE_DIGITS = 4

/**
 * Refuses a file that is not a store, or one of a newer Rouse. Reads only its stamps.
 *
 * @throws {RouseError} `STORE_DAMAGED`.
 */
export function checkStamps(db: DatabaseSync, where: string, migrations: readonly string[] = MIGRATIONS): void {
  const application = pragma(db, "application_id")
  const version = pragma(db, "user_version")
  if (application === 0 && version === 0 && isEmpty(db)) return
  if (application !== APPLICATION_ID) {
    throw new RouseError("STORE_DAMAGED", `${where} holds a database that is not a Rouse store`, { details: { where } })
  }
  if (version > migrations.length) {
    throw new RouseError(
      "STORE_DAMAGED",
      `${where} was written by a newer Rouse (its version is ${version}, this one knows ${migrations.length}): use a newer Rouse`,
      { details: { where, version, known: migrations.length } },
    )
  }
}

/**
 * Brings the tables to the newest version, in one transaction.
 *
 * @param seed From 0 to 1, by chance: tells the offsets of a new store from those of every other.
 */
export function migrate(db: DatabaseSync, seed: number, migrations: readonly string[] = MIGRATIONS): void {
  const version = pragma(db, "user_version")
  if (version === migrations.length) return
  db.exec("BEGIN IMMEDIATE")
  try {
    for (const migration of migrations.slice(version)) db.exec(migration)
    if (version === 0) db.prepare("INSERT INTO meta (key, value) VALUES ('nonce', ?)").run(nonce(seed))
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${migrations.length}; COMMIT`)
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK")
    throw error
  }
}

function nonce(seed: number): string {
  return Math.floor(seed * 36 ** NONCE_DIGITS)
    .toString(36)
    .padStart(NONCE_DIGITS, "0")
}

export function readNonce(db: DatabaseSync): string {
  return String(db.prepare("SELECT value FROM meta WHERE key = 'nonce'").get()?.["value"])
}

/** What a store says of its having been moved. Of one that has no tables yet, nothing. */
export function readMark(db: DatabaseSync): unknown {
  if (isEmpty(db)) return undefined
  return db.prepare("SELECT value FROM meta WHERE key = ?").get(MOVE_KEY)?.["value"]
}

function pragma(db: DatabaseSync, name: "application_id" | "user_version"): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name])
}

function isEmpty(db: DatabaseSync): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined
}
