import { defineEntity, tool } from "@rouse/agents"
import { createHash } from "node:crypto"
import { START } from "@rouse/protocol"
import type {
  ApprovalRow,
  BundlePart,
  EntityDetail,
  Imported,
  MessageRow,
  Problem,
  RunRow,
  SharedPage,
  SpaceBundlePart,
  ToolCallRow,
} from "@rouse/protocol"
import { afterEach, beforeEach, expect, test } from "vitest"
import { z } from "zod"
import { Harness } from "./harness.ts"

let ran: string[] = []
let release: () => void
let hung: Promise<void>

const LONG = "0123456789".repeat(4_000)
const long = tool({ name: "long", description: "Long", input: z.object({}), effect: "pure", execute: () => LONG })
const risky = tool({
  name: "risky",
  description: "Asks",
  input: z.object({}),
  effect: "once",
  approval: true,
  execute: () => "done",
})
const pay = tool({
  name: "pay",
  description: "Pays",
  input: z.object({}),
  effect: "once",
  execute: async () => {
    ran.push("pay")
    await hung
    return "paid"
  },
})

const talker = defineEntity("talker", {
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "", model: "rouse/echo", tools: [...ctx.tools, long, pay, risky] })
    await ctx.agent.run()
  },
})

let here: Harness
let there: Harness

beforeEach(async () => {
  ran = []
  hung = new Promise((resolve) => {
    release = resolve
  })
  here = await Harness.open({ entities: [talker] })
  there = await Harness.open({ entities: [talker] })
})

afterEach(async () => {
  release()
  await Promise.all([here.close(), there.close()])
})

const bundleOf = async (url: string, query = ""): Promise<string> => {
  const response = await here.server.fetch(new Request(`http://localhost/v1/entities${url}/export${query}`))
  expect(response.headers.get("content-type")).toBe("application/x-ndjson")
  return response.text()
}

const bring = (bundle: string, query = ""): Promise<{ status: number; body: Imported }> =>
  there.call("POST", `/v1/import${query}`, bundle)

const spaceBundle = async (): Promise<string> => {
  const request = new Request("http://localhost/v1/shared/board", { headers: { accept: "application/x-ndjson" } })
  return (await here.server.fetch(request)).text()
}

async function withBoard(): Promise<void> {
  const schema = { type: "object", properties: { id: { type: "string" } } }
  const definition = { collections: { tasks: { schema, key: "id", indexes: [["kind"]] } } }
  await here.call("PUT", "/v1/shared/board", definition)
  const ops = ["z", "a", "m", "b"].map((id) => ({ op: "insert", value: { id, kind: "bug" } }))
  await here.call("POST", "/v1/shared/board/tasks", { ops })
  const { body } = await here.call<{ rows: { key: string; claim: { token: number } }[] }>(
    "POST",
    "/v1/shared/board/claims",
    { collection: "tasks", limit: 2 },
  )
  const [held] = body.rows
  if (!held) throw new Error("nothing was claimed")
  const { key, claim } = held
  await here.call("POST", "/v1/shared/board/tasks", { ops: [{ op: "complete", key, token: claim.token }] })
}

test("a shared space comes over with its rows in their order, what is done, and no claims", async () => {
  await withBoard()
  const bundle = await spaceBundle()
  const parts = bundle
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as SpaceBundlePart)
  const { chunks, next } = await here.store.read("shared/board", START, 1_000_000)
  const log = Buffer.concat(chunks)
  const sha256 = createHash("sha256").update(log).digest("hex")
  expect(parts[0]).toMatchObject({ part: "space", id: "board", offset: next })
  expect(parts.at(-2)).toMatchObject({ part: "end", rows: { count: 4 }, log: { bytes: log.length, sha256 } })
  expect(await bring(bundle)).toMatchObject({ status: 201, body: { rows: 4, space: "board" } })
  const { body } = await there.call<SharedPage>("GET", "/v1/shared/board/tasks")
  expect(body.rows.map(({ key, done, claim }) => [key, done, claim])).toEqual([
    ["a", undefined, undefined],
    ["b", undefined, undefined],
    ["m", undefined, undefined],
    ["z", true, undefined],
  ])
  const claim = { collection: "tasks", limit: 9, where: { kind: "bug" } }
  const claimed = await there.call<SharedPage>("POST", "/v1/shared/board/claims", claim)
  expect(claimed.body.rows.map(({ key }) => key)).toEqual(["a", "m", "b"])
  expect(await bring(bundle)).toMatchObject({ status: 409, body: { code: "ALREADY_EXISTS" } })
  expect(await bring(bundle, "?as=shared/other")).toMatchObject({ status: 201, body: { space: "other" } })
  expect(await bring(bundle, "?as=/talker/x")).toMatchObject({ status: 400 })
})

test.each([
  ["cut off", (lines: readonly string[]) => lines.slice(0, -1)],
  ["without a row", (lines: readonly string[]) => lines.toSpliced(2, 1)],
  [
    "with another value",
    (lines: readonly string[]) => lines.map((line) => line.replace('"kind":"bug"', '"kind":"bun"')),
  ],
  ["with rows behind its end", (lines: readonly string[]) => lines.toSpliced(-1, 0, ...lines.slice(1, 2))],
  ["of two", (lines: readonly string[]) => [...lines, ...lines]],
])("a bundle of a shared space %s makes none", async (_, damage) => {
  await withBoard()
  const damaged = damage((await spaceBundle()).trimEnd().split("\n"))
  expect(await bring(damaged.map((line) => `${line}\n`).join(""))).toMatchObject({ status: 400 })
  expect((await there.call("GET", "/v1/shared/board")).status).toBe(404)
})

const stateOf = async (harness: Harness, url: string): Promise<unknown> => {
  const { body } = await harness.call<{ rows: unknown }>("GET", `/v1/entities${url}/state`)
  return body.rows
}

const atRest = (harness: Harness, url: string): Promise<void> =>
  harness.until(
    async () => (await harness.call<EntityDetail>("GET", `/v1/entities${url}`)).body.status === "idle",
    `${url} at rest`,
  )

test("an agent that was exported is the same elsewhere, with its attachments and its schedules", async () => {
  await here.spawn("/talker/a", { tags: { customer: "ada" } })
  await here.ask("/talker/a", "/call long {}")
  await here.call("POST", "/v1/entities/talker/a/schedules", { name: "soon", every: 3_600_000, message: "tick" })
  const { status, body } = await bring(await bundleOf("/talker/a"))
  expect({ status, body }).toMatchObject({ status: 201, body: { entities: { "/talker/a": "/talker/a" }, paused: [] } })
  expect(await stateOf(there, "/talker/a")).toEqual(await stateOf(here, "/talker/a"))
  const [row] = await there.rows("/talker/a", "attachment")
  const read = await there.server.fetch(new Request(`http://localhost/v1/entities/talker/a/attachments/${row?.key}`))
  expect(await read.text()).toContain("0123456789")
  expect(await there.store.nextDueAtMs()).toBeDefined()
  expect(await there.ask("/talker/a", "and you")).toMatchObject({ status: "processed", reply: "You said: and you" })
  expect((await there.call<EntityDetail>("GET", "/v1/entities/talker/a")).body.tags).toEqual({ customer: "ada" })
  for (const path of await there.store.streamPaths({ prefix: "__rouse/", limit: 10 }))
    await expect(there.store.stream(path)).rejects.toMatchObject({ code: "GONE" })
})

test("a bundle that was changed, cut or put together anew is refused, and nothing of it stays", async () => {
  await here.spawn("/talker/a")
  await here.ask("/talker/a", "hello")
  const whole = await bundleOf("/talker/a")
  const lines = whole.trimEnd().split("\n")
  const damaged = [
    whole.replace("hello", "hallo"),
    whole.slice(0, -20),
    `${lines.slice(0, -1).join("\n")}\n`,
    `${lines.filter((line) => !line.includes('"end"')).join("\n")}\n`,
    `${whole}${lines[0]}\n`,
    "",
    "nonsense\n",
  ]
  for (const bundle of damaged) {
    const { status, body } = await bring(bundle)
    expect({ status, body: body as unknown as Problem }).toMatchObject({ status: 400, body: { code: "BAD_REQUEST" } })
  }
  expect((await there.call("GET", "/v1/entities/talker/a")).status).toBe(404)
  expect(await there.store.streamPaths({ prefix: "", limit: 10 })).toEqual([])
  expect((await bring(whole)).status).toBe(201)
  expect((await bring(whole)).body).toMatchObject({ code: "ALREADY_EXISTS" })
})

test("a tree comes with those below it, to a new address of its root", async () => {
  await here.spawn("/talker/a", { message: '/spawn talker c "hello"' })
  await here.until(
    async () => (await here.rows<{ status: string }>("/talker/a", "child"))[0]?.value.status === "completed",
    "the child ended",
  )
  await atRest(here, "/talker/a")
  const { body } = await bring(await bundleOf("/talker/a", "?tree=true"), "?as=/talker/b")
  expect(body.entities).toEqual({ "/talker/a": "/talker/b", "/talker/c": "/talker/c" })
  expect((await there.call<EntityDetail>("GET", "/v1/entities/talker/c")).body.parent).toBe("/talker/b")
  expect(await there.rows("/talker/b", "entity")).toHaveLength(1)
  await there.ask("/talker/c", "again")
  await there.until(async () => {
    const rows = await there.rows<MessageRow>("/talker/b", "message")
    return rows.filter((row) => row.value.kind === "childFinished").length === 2
  }, "its parent was told")
})

test("one that was at work is paused, and goes on when it is told to; a once call is not run again", async () => {
  await here.spawn("/talker/a", { message: "/call pay {}" })
  await here.until(async () => ran.length === 1, "it pays")
  expect((await bring(await bundleOf("/talker/a"))).body.paused).toEqual(["/talker/a"])
  await there.call("POST", "/v1/entities/talker/a/signals", { signal: "resume" })
  await there.until(
    async () => (await there.rows<RunRow>("/talker/a", "run"))[0]?.value.status === "completed",
    "it went on",
  )
  expect((await there.rows<ToolCallRow>("/talker/a", "tool_call"))[0]?.value.status).toBe("unknown")
  expect(ran).toEqual(["pay"])
})

test("an approval that waited can be given where it came to", async () => {
  await here.spawn("/talker/a", { message: "/call risky {}" })
  await here.until(async () => (await here.rows<ApprovalRow>("/talker/a", "approval")).length === 1, "it asks")
  await here.until(
    async () => (await here.call<EntityDetail>("GET", "/v1/entities/talker/a")).body.status === "suspended",
    "it waits",
  )
  expect((await bring(await bundleOf("/talker/a"))).body.paused).toEqual([])
  const { body } = await there.call<{ approvals: { approval: ApprovalRow }[] }>("GET", "/v1/approvals")
  expect(body.approvals).toHaveLength(1)
  await there.call("POST", `/v1/entities/talker/a/approvals/${body.approvals[0]?.approval.call}`, { decision: "allow" })
  await atRest(there, "/talker/a")
  expect((await there.rows<ToolCallRow>("/talker/a", "tool_call"))[0]?.value).toMatchObject({
    status: "done",
    output: "done",
  })
})

test("a bundle is lines of JSON, of which the last one tells the digest of all", async () => {
  await here.spawn("/talker/a")
  await here.ask("/talker/a", "hello")
  const lines = (await bundleOf("/talker/a"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as BundlePart)
  expect([...new Set(lines.map((line) => line.part))]).toEqual(["bundle", "entity", "log", "end", "done"])
  expect((await here.call("GET", "/v1/entities/talker/none/export")).status).toBe(404)
})
