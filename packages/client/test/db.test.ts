import type { ChangeEvent } from "@rouse/protocol"
import { expect, test } from "vitest"
import { z } from "zod"
import { entityDb } from "../src/db.ts"
import { createClient } from "../src/index.ts"
import { cannedServer, instantClock, log } from "./canned-server.ts"

const note = z.object({ id: z.string(), text: z.string() })

const changes: readonly ChangeEvent[] = [
  { type: "entity", key: "self", value: { url: "/support/ann", id: "ann" }, headers: { operation: "insert" } },
  { type: "notes", key: "n1", value: { id: "n1", text: "first" }, headers: { operation: "insert" } },
  { type: "notes", key: "n2", value: { id: "n2", text: "second" }, headers: { operation: "insert" } },
  { type: "notes", key: "n1", value: { id: "n1", text: "changed" }, headers: { operation: "update" } },
  { type: "notes", key: "n2", headers: { operation: "delete" } },
  { type: "tag", key: "vip", value: { value: "yes" }, headers: { operation: "insert" } },
]

test("materialises the built-in collections and the author's, and keeps them current over cuts", async () => {
  const server = await cannedServer(log(changes, [1, "half"]))
  const client = createClient({ url: server.url, clock: instantClock() })
  const db = entityDb(client, "/support/ann", { collections: { notes: { schema: note } } })
  await db.preload()
  expect(db.collections.entity.get("self")).toMatchObject({ url: "/support/ann", id: "ann", key: "self" })
  await expect.poll(() => db.collections.tag.get("vip")?.value).toBe("yes")
  expect(db.collections.notes.toArray.map(({ id, text }) => [id, text])).toEqual([["n1", "changed"]])
  db.close()
})

test("an author's collection may not have a built-in name", () => {
  const client = createClient({ url: "http://127.0.0.1:1" })
  expect(() => entityDb(client, "/a/b", { collections: { message: { schema: note } } })).toThrow("message")
  expect(() => entityDb({ ...client }, "/a/b")).toThrow("createClient")
})
