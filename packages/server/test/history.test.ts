import { createHash } from "node:crypto"
import { defineEntity, tool } from "@rouse/agents"
import {
  type AttachmentRow,
  entityStreamPath,
  isPast,
  type Json,
  type MessageRow,
  type Row,
  type RunRow,
  type SummaryRow,
} from "@rouse/protocol"
import { afterEach, beforeEach, expect, test } from "vitest"
import { frameJson } from "@rouse/store"
import { z } from "zod"
import { Harness, temporaryStore } from "./harness.ts"

const LONG = "0123456789".repeat(5_000)
const ID = createHash("sha256").update(LONG).digest("hex")

const chatty = defineEntity("chatty", {
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "", model: "rouse/echo", compaction: { rowsMax: 24 }, tools: [...ctx.tools, long] })
    await ctx.agent.run()
  },
})
const long = tool({ name: "long", description: "Long", input: z.object({}), effect: "pure", execute: () => LONG })

let harness: Harness
let remove: () => Promise<void>

beforeEach(async () => {
  const temporary = await temporaryStore()
  remove = () => temporary.remove()
  harness = await Harness.open({ entities: [chatty], store: temporary.store })
  await harness.spawn("/chatty/a")
})

afterEach(async () => {
  await harness.close()
  await remove()
})

test("live rows stay few however many messages there were; the log, and the state with history, have all", async () => {
  for (let n = 1; n <= 60; n++)
    expect(await harness.ask("/chatty/a", `ask ${n}`)).toMatchObject({ reply: `You said: ask ${n}` })
  const { body } = await harness.call<{ rows: readonly Row[] }>("GET", "/v1/entities/chatty/a/state")
  expect(body.rows.length).toBeLessThan(32)
  expect(await harness.store.rows("/chatty/a")).toHaveLength(body.rows.length)
  const summary = body.rows.find((row) => row.collection === "context")?.value as unknown as SummaryRow
  expect(body.rows.filter((row) => isPast(row.collection, row.key, row.value, summary))).toEqual([])
  const runs = await harness.call<{ rows: readonly Row<RunRow>[] }>(
    "GET",
    "/v1/entities/chatty/a/state/run?history=true",
  )
  expect(runs.body.rows.map((row) => row.key)).toEqual(
    Array.from({ length: 60 }, (_, n) => `r${String(n + 1).padStart(6, "0")}`),
  )
  const messages = await harness.call<{ rows: readonly Row<MessageRow>[] }>(
    "GET",
    "/v1/entities/chatty/a/state/message?history=true",
  )
  expect(messages.body.rows.filter((row) => row.value.status === "processed")).toHaveLength(60)
  const deleted = (await harness.log("/chatty/a")).filter((event) => event.headers.operation === "delete")
  expect(deleted).toEqual([])
})

test("what came of a message is known also when it is past", async () => {
  const send = (): Promise<{ body: Json }> =>
    harness.call("POST", "/v1/entities/chatty/a/messages?wait=20s", { content: "first" }, { "idempotency-key": "k1" })
  expect((await send()).body).toMatchObject({ status: "processed", reply: "You said: first" })
  for (let n = 1; n <= 20; n++) await harness.ask("/chatty/a", `ask ${n}`)
  expect((await harness.rows<MessageRow>("/chatty/a", "message")).map((row) => row.value.content)).not.toContain(
    "first",
  )
  expect((await send()).body).toMatchObject({ status: "processed", reply: "You said: first" })
})

test("history goes on from the base of a log that was compacted", async () => {
  for (let n = 1; n <= 12; n++) await harness.ask("/chatty/a", `ask ${n}`)
  const path = entityStreamPath("/chatty/a")
  const state = "/v1/entities/chatty/a/state?history=true"
  const { rows } = (await harness.call<{ rows: readonly Row[] }>("GET", state)).body
  const to = (await harness.store.stream(path))?.next
  expect(to).toBeDefined()
  await harness.ask("/chatty/a", "ask 13")
  const data = frameJson(
    rows.map(({ collection, key, value }) => ({ type: collection, key, value, headers: { operation: "insert" } })),
  )
  if (to !== undefined) await harness.store.commit({ ops: [{ op: "trimStream", path, to, data }] })
  const after = (await harness.call<{ rows: readonly Row[] }>("GET", state)).body.rows
  expect(after.filter((row) => row.collection === "run")).toHaveLength(13)
  expect(after).toEqual(expect.arrayContaining(rows.filter((row) => row.collection === "text")))
})

test("a new process goes on from what is live", async () => {
  for (let n = 1; n <= 12; n++) await harness.ask("/chatty/a", `ask ${n}`)
  const { store } = harness
  await harness.server.close({ graceMs: 500 })
  harness = await Harness.open({ entities: [chatty], store })
  expect(await harness.ask("/chatty/a", "again")).toMatchObject({ status: "processed", run: "r000013" })
})

test("an attachment is read whole or in part, from its entity alone, and goes with it", async () => {
  await harness.spawn("/chatty/b")
  await harness.ask("/chatty/a", "/call long {}")
  expect((await harness.rows<AttachmentRow>("/chatty/a", "attachment")).map((row) => row.key)).toEqual([ID])
  const get = async (path: string): Promise<readonly [number, string]> => {
    const response = await harness.server.fetch(
      new Request(`http://localhost${path}`, { headers: { host: "localhost" } }),
    )
    return [response.status, await response.text()]
  }
  const path = `/v1/entities/chatty/a/attachments/${ID}`
  expect(await get(path)).toEqual([200, LONG])
  expect((await get(`/v1/entities/chatty/b/attachments/${ID}`))[0]).toBe(404)
  expect((await get("/v1/entities/chatty/a/attachments/x"))[0]).toBe(404)
  const stream = `/v1/stream/attachments/bytes/chatty/a/${ID}`
  expect((await harness.call("PUT", stream, "x", { "content-type": "text/plain" })).status).toBe(405)
  for (let n = 1; n <= 12; n++) await harness.ask("/chatty/a", `ask ${n}`)
  expect(await harness.rows("/chatty/a", "attachment")).toEqual([])
  expect(await get(path)).toEqual([200, LONG])
  expect((await harness.call("DELETE", "/v1/entities/chatty/a?purge=true")).status).toBe(204)
  expect(await harness.store.streamPaths({ prefix: "attachments/", limit: 9 })).toEqual([])
})
