import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { rmSync } from "node:fs"
import type { Json } from "@rouse/protocol"
import { openStore } from "@rouse/store"
import type { Op, Store } from "@rouse/store"
import { afterEach, beforeEach, expect, test } from "vitest"
import { makeDirectory } from "./file-store.ts"

const URL = "/t/a"
const LONG = "x".repeat(3_000)
const SHORT = "y"
let directory: string
let store: Store

beforeEach(async () => {
  directory = makeDirectory()
  store = await openStore({ directory, clock: () => 0, sync: "off" })
  await store.commit({ ops: [entity()] })
})
afterEach(async () => {
  await store.close()
  rmSync(directory, { recursive: true, force: true })
})

function entity(): Op {
  const times = { createdAtMs: 0, activeAtMs: 0, dueAtMs: null }
  const record = { url: URL, type: "t", id: "a", status: "idle", epoch: 0, parent: null, ...times } as const
  return { op: "putEntity", record: { ...record, tags: {}, args: {}, control: {} } }
}

const row = (key: string, value: Json): Op => ({ op: "putRow", url: URL, collection: "c", key, value })

/** How many values are kept apart from their rows. */
function kept(): number {
  const db = new DatabaseSync(join(directory, "rouse.db"), { readOnly: true })
  try {
    return Number(db.prepare("SELECT count(*) AS n FROM long_value").get()?.["n"])
  } finally {
    db.close()
  }
}

test("a long value is kept apart, once", async () => {
  await store.commit({ ops: [row("a", LONG), row("b", SHORT), row("c", LONG)] })
  expect(kept()).toBe(2)
})

const endings: Readonly<Record<string, readonly Op[]>> = {
  "a short one in its place": [row("a", SHORT)],
  "another long one in its place, and then none": [
    row("a", LONG + LONG),
    { op: "deleteRow", url: URL, collection: "c", key: "a" },
  ],
  "its row": [{ op: "deleteRow", url: URL, collection: "c", key: "a" }],
  "its entity": [{ op: "deleteEntity", url: URL }],
}

test.each(Object.entries(endings))("it goes with %s", async (_, ops) => {
  await store.commit({ ops: [row("a", LONG)] })
  expect(kept()).toBe(1)
  await store.commit({ ops })
  expect(kept()).toBe(0)
})

test("a commit that puts it twice keeps the last", async () => {
  await store.commit({ ops: [row("a", LONG), row("a", `${LONG}z`)] })
  expect(kept()).toBe(1)
  expect(await store.row(URL, "c", "a")).toMatchObject({ value: `${LONG}z` })
})
