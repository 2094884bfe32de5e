import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { expect, onTestFinished, test } from "vitest"
import { frameJson } from "../src/core/json-frame.ts"
import { connectReader, connectWriter } from "../src/sqlite/connect.ts"
import { Engine } from "../src/sqlite/engine.ts"
import { migrate } from "../src/sqlite/migrate.ts"
import { Reader } from "../src/sqlite/reader.ts"

/** A connection that lets something happen just before it first looks for rows. */
function interrupted(db: DatabaseSync, happen: () => void): DatabaseSync {
  return new Proxy(db, {
    get(target, name) {
      if (name !== "prepare") {
        const member: unknown = Reflect.get(target, name, target)
        return typeof member === "function" ? (member.bind(target) as unknown) : member
      }
      return (sql: string) => {
        if (sql.includes('FROM "row"')) happen()
        return target.prepare(sql)
      }
    },
  })
}

test("live rows and their offset are of one moment, though a commit falls between the two reads", () => {
  const directory = mkdtempSync(join(tmpdir(), "rouse-moment-"))
  const file = join(directory, "rouse.db")
  const writing = connectWriter(file, { sync: "off" })
  migrate(writing, 0.5)
  const engine = new Engine(writing, directory)
  const reading = connectReader(file)
  onTestFinished(() => {
    reading.close()
    writing.close()
    rmSync(directory, { recursive: true })
  })
  const url = "/t/a"
  const path = "entities/t/a"
  const entity = { url, type: "t", id: "a", status: "idle", epoch: 0, parent: null } as const
  const times = { createdAtMs: 0, activeAtMs: 0, dueAtMs: null }
  const write = (n: number): void => {
    const [outcome] = engine.commit([
      {
        guards: [],
        ops: [
          { op: "createStream", path, contentType: "application/json", nowMs: 0 },
          { op: "putEntity", record: { ...entity, ...times, tags: "{}", args: "{}", control: "{}" } },
          { op: "append", path, data: frameJson([n]), nowMs: 0 },
          { op: "putRow", url, collection: "c", key: "k", value: String(n) },
        ],
      },
    ])
    expect(outcome?.ok).toBe(true)
  }
  write(1)
  const reader = new Reader(
    interrupted(reading, () => write(2)),
    () => 0,
  )
  const live = reader.liveRows(url, path, undefined)
  expect(live?.rows.map(({ json }) => json)).toEqual(["1"])
  expect(live?.info.next.endsWith("_0000000000000002")).toBe(true)
  expect(reader.liveRows(url, path, undefined)?.rows.map(({ json }) => json)).toEqual(["2"])
})
