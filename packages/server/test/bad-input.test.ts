import { defineEntity } from "@rouse/agents"
import { afterAll, beforeAll, expect, test } from "vitest"
import { z } from "zod"
import { Harness, type Refusal } from "./harness.ts"

const strict = defineEntity("strict", {
  args: z.object({ customer: z.string(), tier: z.enum(["free", "paid"]).default("free") }),
  handler: (ctx) => ctx.reply(ctx.args.tier),
})

let harness: Harness
beforeAll(async () => {
  harness = await Harness.open({ entities: [strict], limits: { bodyBytesMax: 2_000, pendingMax: 3 } })
  await harness.spawn("/strict/a", { args: { customer: "c" } })
})
afterAll(() => harness.close())

interface Case {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
  readonly status: number
  readonly code: string
  /** What the sentence must name. */
  readonly names: string
}

const A = "/v1/entities/strict/a"
const CASES: readonly Case[] = [
  {
    name: "malformed JSON",
    method: "POST",
    path: `${A}/messages`,
    body: "{nope",
    status: 400,
    code: "BAD_JSON",
    names: "JSON",
  },
  {
    name: "a bare string",
    method: "POST",
    path: `${A}/messages`,
    body: '"x"',
    status: 422,
    code: "INVALID_ARGS",
    names: "body",
  },
  {
    name: "no content",
    method: "POST",
    path: `${A}/messages`,
    body: {},
    status: 422,
    code: "INVALID_ARGS",
    names: "content",
  },
  {
    name: "an unknown field",
    method: "POST",
    path: `${A}/messages`,
    body: { content: 1, mood: "x" },
    status: 422,
    code: "INVALID_ARGS",
    names: "mood",
  },
  {
    name: "an unknown mode",
    method: "POST",
    path: `${A}/messages`,
    body: { content: 1, mode: "x" },
    status: 422,
    code: "INVALID_ARGS",
    names: "mode",
  },
  {
    name: "a negative delay",
    method: "POST",
    path: `${A}/messages`,
    body: { content: 1, afterMs: -1 },
    status: 422,
    code: "INVALID_ARGS",
    names: "afterMs",
  },
  {
    name: "a time in the past",
    method: "POST",
    path: `${A}/messages`,
    body: { content: 1, at: "2001-01-01T00:00:00Z" },
    status: 422,
    code: "INVALID_ARGS",
    names: "past",
  },
  {
    name: "a bad time",
    method: "POST",
    path: `${A}/messages`,
    body: { content: 1, at: "soon" },
    status: 422,
    code: "INVALID_ARGS",
    names: "at",
  },
  {
    name: "after and at",
    method: "POST",
    path: `${A}/messages`,
    body: { content: 1, afterMs: 1, at: "2099-01-01T00:00:00Z" },
    status: 422,
    code: "INVALID_ARGS",
    names: "not both",
  },
  {
    name: "a bad wait",
    method: "POST",
    path: `${A}/messages?wait=soon`,
    body: { content: 1 },
    status: 400,
    code: "BAD_REQUEST",
    names: "wait",
  },
  {
    name: "too long a wait",
    method: "POST",
    path: `${A}/messages?wait=11m`,
    body: { content: 1 },
    status: 400,
    code: "BAD_REQUEST",
    names: "wait",
  },
  {
    name: "too large a body",
    method: "POST",
    path: `${A}/messages`,
    body: { content: "x".repeat(3_000) },
    status: 413,
    code: "TOO_LARGE",
    names: "2000 bytes",
  },
  {
    name: "an empty idempotency key",
    method: "POST",
    path: `${A}/messages`,
    body: { content: 1 },
    headers: { "idempotency-key": "" },
    status: 400,
    code: "BAD_REQUEST",
    names: "Idempotency-Key",
  },
  {
    name: "an unknown agent",
    method: "POST",
    path: "/v1/entities/strict/nobody/messages",
    body: { content: 1 },
    status: 404,
    code: "UNKNOWN_ENTITY",
    names: "/strict/nobody",
  },
  {
    name: "an unknown type",
    method: "PUT",
    path: "/v1/entities/nothing/a",
    body: {},
    status: 404,
    code: "UNKNOWN_TYPE",
    names: "strict",
  },
  {
    name: "a bad type name",
    method: "PUT",
    path: "/v1/entities/Bad!/a",
    body: {},
    status: 400,
    code: "BAD_REQUEST",
    names: "type",
  },
  {
    name: "a bad id",
    method: "PUT",
    path: "/v1/entities/strict/-a",
    body: {},
    status: 400,
    code: "BAD_REQUEST",
    names: "id",
  },
  {
    name: "an id with a slash in it",
    method: "PUT",
    path: "/v1/entities/strict/a%2Fb",
    body: {},
    status: 400,
    code: "BAD_REQUEST",
    names: "id",
  },
  {
    name: "missing arguments",
    method: "PUT",
    path: "/v1/entities/strict/b",
    body: {},
    status: 422,
    code: "INVALID_ARGS",
    names: "customer",
  },
  {
    name: "a wrong argument",
    method: "PUT",
    path: "/v1/entities/strict/b",
    body: { args: { customer: 1 } },
    status: 422,
    code: "INVALID_ARGS",
    names: "customer",
  },
  {
    name: "arguments that are no object",
    method: "PUT",
    path: "/v1/entities/strict/b",
    body: { args: [] },
    status: 422,
    code: "INVALID_ARGS",
    names: "args",
  },
  {
    name: "an unknown parent",
    method: "PUT",
    path: "/v1/entities/strict/b",
    body: { args: { customer: "c" }, parent: "/strict/none" },
    status: 404,
    code: "UNKNOWN_ENTITY",
    names: "parent",
  },
  {
    name: "a parent that is no address",
    method: "PUT",
    path: "/v1/entities/strict/b",
    body: { args: { customer: "c" }, parent: "none" },
    status: 422,
    code: "INVALID_ARGS",
    names: "parent",
  },
  {
    name: "other arguments for an agent that is",
    method: "PUT",
    path: A,
    body: { args: { customer: "d" } },
    status: 409,
    code: "ALREADY_EXISTS",
    names: "/strict/a",
  },
  {
    name: "an agent that is not",
    method: "GET",
    path: "/v1/entities/strict/nobody",
    status: 404,
    code: "UNKNOWN_ENTITY",
    names: "/strict/nobody",
  },
  {
    name: "a bad status filter",
    method: "GET",
    path: "/v1/entities?status=asleep",
    status: 422,
    code: "INVALID_ARGS",
    names: "status",
  },
  {
    name: "a bad limit",
    method: "GET",
    path: "/v1/entities?limit=0",
    status: 422,
    code: "INVALID_ARGS",
    names: "limit",
  },
  {
    name: "an unknown filter",
    method: "GET",
    path: "/v1/entities?colour=red",
    status: 422,
    code: "INVALID_ARGS",
    names: "colour",
  },
  {
    name: "a bad page token",
    method: "GET",
    path: "/v1/entities?after=%00nonsense",
    status: 400,
    code: "BAD_REQUEST",
    names: "after",
  },
  {
    name: "a bad signal name",
    method: "POST",
    path: `${A}/signals`,
    body: { signal: "Not A Name" },
    status: 422,
    code: "INVALID_ARGS",
    names: "signal",
  },
  {
    name: "no such approval",
    method: "POST",
    path: `${A}/approvals/r1`,
    body: { decision: "allow" },
    status: 404,
    code: "NOT_FOUND",
    names: "r1",
  },
  {
    name: "a bad decision",
    method: "POST",
    path: `${A}/approvals/r1`,
    body: { decision: "perhaps" },
    status: 422,
    code: "INVALID_ARGS",
    names: "decision",
  },
  {
    name: "a bad tag",
    method: "POST",
    path: `${A}/tags`,
    body: { tags: { "": "x" } },
    status: 422,
    code: "INVALID_ARGS",
    names: "tags",
  },
  {
    name: "a write to an agent's log",
    method: "POST",
    path: "/v1/stream/entities/strict/a",
    body: [{}],
    headers: { "content-type": "application/json" },
    status: 405,
    code: "METHOD_NOT_ALLOWED",
    names: "message",
  },
  {
    name: "a bad offset",
    method: "GET",
    path: "/v1/stream/entities/strict/a?offset=nonsense",
    status: 400,
    code: "BAD_OFFSET",
    names: "offset",
  },
  { name: "nothing there", method: "GET", path: "/v1/nothing", status: 404, code: "NOT_FOUND", names: "/v1/nothing" },
]

for (const { name, method, path, body, headers, status, code, names } of CASES) {
  test(`${name}: ${status} ${code}`, async () => {
    const before = await harness.log("/strict/a")
    const answer = (await harness.call(method, path, body, headers)) as unknown as Refusal
    expect(answer.body).toMatchObject({ status, code })
    expect(answer.status).toBe(status)
    expect(answer.headers.get("content-type")).toContain("application/problem+json")
    expect(answer.body.detail.toLowerCase()).toContain(names.toLowerCase())
    expect(await harness.log("/strict/a")).toEqual(before)
  })
}

for (const depth of [200, 5_000, 400_000]) {
  test(`a body nested ${depth} deep: 400 BAD_JSON`, async () => {
    const open = await Harness.open({ entities: [strict] })
    const deep = `${"[".repeat(depth)}${"]".repeat(depth)}`
    for (const [method, path, body] of [
      ["POST", `${A}/messages`, `{"content":${deep}}`],
      ["PUT", "/v1/entities/strict/deep", `{"args":{"customer":${deep}}}`],
    ] as const) {
      const answer = (await open.call(method, path, body)) as unknown as Refusal
      expect(answer.body).toMatchObject({ status: 400, code: "BAD_JSON", detail: expect.stringContaining("deeper") })
    }
    await open.close()
  })
}

test("a body that is not UTF-8: 400 BAD_JSON", async () => {
  const init = { method: "POST", headers: { host: "localhost" }, body: new Uint8Array([0x22, 0xff, 0xfe, 0x22]) }
  const response = await harness.server.fetch(new Request(`http://localhost${A}/messages`, init))
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ code: "BAD_JSON", detail: expect.stringContaining("UTF-8") })
})

test("defaults of the schema are what the agent gets", async () => {
  expect(await harness.ask("/strict/a", "tier?")).toMatchObject({ reply: "free" })
})

test("an inbox that is full refuses with Retry-After, and loses nothing", async () => {
  await harness.spawn("/strict/full", { args: { customer: "c" } })
  await harness.call("POST", "/v1/entities/strict/full/signals", { signal: "pause" })
  const answers = []
  for (let i = 0; i < 5; i++)
    answers.push(await harness.call("POST", "/v1/entities/strict/full/messages", { content: i }))
  expect(answers.map((answer) => answer.status)).toEqual([202, 202, 202, 429, 429])
  expect(answers[4]?.headers.get("retry-after")).toBe("1")
  await harness.call("POST", "/v1/entities/strict/full/signals", { signal: "resume" })
  const processed = async () =>
    (await harness.rows<{ status: string }>("/strict/full", "message")).every((row) => row.value.status === "processed")
  await harness.until(processed, "all three processed")
})
