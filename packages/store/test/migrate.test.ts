import { DatabaseSync } from "node:sqlite"
import { expect, it } from "vitest"
import { checkStamps, migrate, readNonce } from "../src/sqlite/migrate.ts"
import { MIGRATIONS } from "../src/sqlite/schema.ts"

const version = (db: DatabaseSync): unknown => db.prepare("PRAGMA user_version").get()?.["user_version"]

it("goes forward from every version, and keeps what is there", () => {
  const db = new DatabaseSync(":memory:")
  migrate(db, 0.25)
  const nonce = readNonce(db)
  db.exec("INSERT INTO garbage (stream) VALUES (7)")
  const later = [...MIGRATIONS, "CREATE TABLE later (a TEXT) STRICT", "INSERT INTO later VALUES ('x')"]
  migrate(db, 0.75, later)
  expect(version(db)).toBe(later.length)
  expect(readNonce(db)).toBe(nonce)
  expect(db.prepare("SELECT stream FROM garbage").all()).toMatchObject([{ stream: 7 }])
  migrate(db, 0.75, later)
  expect(db.prepare("SELECT count(*) AS n FROM later").get()).toMatchObject({ n: 1 })
  expect(() => checkStamps(db, "here", later)).not.toThrow()
  expect(() => checkStamps(db, "here")).toThrow(expect.objectContaining({ code: "STORE_DAMAGED" }))
})

it("undoes all of it when one fails", () => {
  const db = new DatabaseSync(":memory:")
  migrate(db, 0)
  expect(() => migrate(db, 0, [...MIGRATIONS, "CREATE TABLE later (a TEXT)", "NOT SQL"])).toThrow(/syntax/)
  expect(version(db)).toBe(MIGRATIONS.length)
  expect(db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'later'").get()).toBeUndefined()
})

it("tells stores apart by chance", () => {
  const nonces = [0, 0.5, 0.999999].map((seed) => {
    const db = new DatabaseSync(":memory:")
    migrate(db, seed)
    return readNonce(db)
  })
  expect(nonces).toEqual(["0000", expect.stringMatching(/^[0-9a-z]{4}$/), "zzzy"])
})
