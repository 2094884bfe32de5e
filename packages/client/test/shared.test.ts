import { defineShared } from "@rouse/agents"
import { createServer, silentLog } from "@rouse/server"
import { openMemoryStore } from "@rouse/store"
import { expect, onTestFinished, test } from "vitest"
import { z } from "zod"
import { sharedDb } from "../src/db.ts"
import { createClient } from "../src/index.ts"
import type { Client } from "../src/index.ts"

const task = z.object({ id: z.string(), status: z.string().optional() })
const board = defineShared("board", { collections: { tasks: { schema: task, key: "id", indexes: ["status"] } } })

async function serve(): Promise<Client> {
  const store = await openMemoryStore({ clock: Date.now })
  const host = { clock: Date.now, random: Math.random, log: silentLog }
  const defer = (ms: number, fn: () => void): (() => void) => {
    const timer = setTimeout(fn, ms)
    return () => clearTimeout(timer)
  }
  const server = createServer({ store, entities: [], defer, host, ...host })
  await server.start()
  const listening = await server.listen({ host: "127.0.0.1", port: 0 })
  onTestFinished(async () => {
    await listening.close(0)
    await server.close({ graceMs: 100 })
    await store.close()
  })
  return createClient({ url: listening.url })
}

test("define, fill, read, change, claim and remove a shared space", async () => {
  const client = await serve()
  const space = client.shared("b1")
  expect(await space.define(board.definition)).toMatchObject({ id: "b1", rows: 0 })
  const { offset } = await space.insert("tasks", [
    { id: "a", status: "open" },
    { id: "b", status: "open" },
  ])
  const [held] = await space.claim("tasks", { where: { status: "open" }, holder: "ann" })
  const token = held?.claim.token ?? 0
  await space.write("tasks", [{ op: "complete", key: "a", token, set: { status: "done" } }])
  expect(await space.rows("tasks", { where: { status: "done" } })).toMatchObject({ rows: [{ key: "a", done: true }] })
  expect(await space.rows("tasks", { at: offset })).toMatchObject({ rows: [{ value: { status: "open" } }, {}] })
  const { version } = await space.row("tasks", "b")
  await space.write("tasks", [{ op: "update", key: "b", set: { status: "late" }, version }])
  const stale = space.write("tasks", [{ op: "update", key: "b", set: { status: "later" }, version }])
  await expect(stale).rejects.toMatchObject({ code: "CONFLICT", details: { value: `{"id":"b","status":"late"}` } })
  const spaces = []
  for await (const one of client.sharedSpaces()) spaces.push(one)
  expect(spaces).toMatchObject([{ id: "b1", rows: 2 }])
  await space.remove()
  await expect(space.info()).rejects.toMatchObject({ code: "NOT_FOUND" })
})

test("a StreamDB shows a space live, from a snapshot on", async () => {
  const client = await serve()
  const space = client.shared("b1")
  await space.define(board.definition)
  await space.insert("tasks", [{ id: "a" }])
  const db = sharedDb(client, "b1", { tasks: { schema: task } })
  await db.preload()
  expect(db.collections.tasks.get("a")).toMatchObject({ id: "a" })
  const [held] = await space.claim("tasks", { holder: "ann" })
  await expect.poll(() => db.collections.claim.get("tasks/a")).toMatchObject({ status: "held", holder: "ann" })
  await space.write("tasks", [
    { op: "complete", key: "a", token: held?.claim.token ?? 0, set: { status: "done" } },
    { op: "insert", value: { id: "b" } },
  ])
  await expect
    .poll(() => db.collections.tasks.toArray.map(({ id, status }) => [id, status]))
    .toEqual([
      ["a", "done"],
      ["b", undefined],
    ])
  expect(db.collections.claim.get("tasks/a")).toMatchObject({ status: "completed" })
  await space.write("tasks", [{ op: "delete", key: "b" }])
  await expect.poll(() => db.collections.tasks.has("b")).toBe(false)
  db.close()
  expect(() => sharedDb(client, "b1", { claim: { schema: task } })).toThrow("claim")
})
