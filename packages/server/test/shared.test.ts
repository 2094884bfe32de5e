import { defineEntity, defineShared, RouseError } from "@rouse/agents"
import {
  type ChangeEvent,
  type Problem,
  type SharedPage,
  type SharedRow,
  START,
  type ToolCallRow,
} from "@rouse/protocol"
import { afterEach, describe, expect, test } from "vitest"
import { z } from "zod"
import { Harness, type HarnessOptions } from "./harness.ts"
import { Network } from "./support/remote.ts"

const board = defineShared("board", {
  collections: {
    tasks: {
      schema: z.object({
        id: z.string(),
        kind: z.enum(["bug", "chore"]).optional(),
        status: z.string().optional(),
        votes: z.int().max(5).optional(),
      }),
      key: "id",
      indexes: ["kind"],
    },
  },
})

const open: Harness[] = []
async function harnessOf(options: Partial<HarnessOptions> = {}): Promise<Harness> {
  const harness = await Harness.open({ entities: [], ...options })
  open.push(harness)
  return harness
}
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.close()
})

const TASKS = "/v1/shared/b1/tasks"

async function withBoard(options: Partial<HarnessOptions> = {}, ...ids: readonly string[]): Promise<Harness> {
  const harness = await harnessOf(options)
  expect((await harness.call("PUT", "/v1/shared/b1", board.definition)).status).toBe(201)
  if (ids.length > 0)
    await write(
      harness,
      ids.map((id) => ({ op: "insert", value: { id } })),
    )
  return harness
}

async function write(harness: Harness, ops: readonly object[], headers: Record<string, string> = {}): Promise<Problem> {
  return (await harness.call<Problem>("POST", TASKS, { ops }, headers)).body
}

async function rows(harness: Harness, query = ""): Promise<readonly SharedRow[]> {
  return (await harness.call<SharedPage>("GET", TASKS + query)).body.rows
}

async function claim(harness: Harness, body: object = {}): Promise<readonly SharedRow[]> {
  return (await harness.call<SharedPage>("POST", "/v1/shared/b1/claims", { collection: "tasks", ...body })).body.rows
}

describe("shared spaces over HTTP", () => {
  test("are made, listed, shown, filled, read and removed", async () => {
    const harness = await withBoard()
    expect((await harness.call("PUT", "/v1/shared/b1", board.definition)).status).toBe(200)
    await write(harness, [
      { op: "insert", value: { id: "a", kind: "bug" } },
      { op: "insert", value: { id: "b/1", kind: "chore" } },
    ])
    expect(await rows(harness)).toMatchObject([{ key: "a", value: { kind: "bug" } }, { key: "b/1" }])
    expect(await rows(harness, `?where=${encodeURIComponent('{"kind":"chore"}')}`)).toMatchObject([{ key: "b/1" }])
    expect((await harness.call<SharedPage>("GET", `${TASKS}?limit=1`)).body).toMatchObject({ next: "a" })
    expect(await rows(harness, "?after=a")).toMatchObject([{ key: "b/1" }])
    expect((await harness.call("GET", `${TASKS}/b%2F1`)).body).toMatchObject({ value: { id: "b/1" } })
    expect((await harness.call("GET", "/v1/shared")).body).toMatchObject({
      spaces: [{ id: "b1", rows: 2, stream: "shared/b1" }],
    })
    expect((await harness.call("DELETE", "/v1/shared/b1")).status).toBe(204)
    expect((await harness.call("GET", "/v1/shared/b1")).status).toBe(404)
  })

  test.each([
    [{ op: "insert", value: { id: "a", kind: "feature" } }, "INVALID_ARGS", "tasks.kind"],
    [{ op: "insert", value: { kind: "bug" } }, "INVALID_ARGS", "tasks.id"],
    [{ op: "insert", value: { id: "x" } }, "ALREADY_EXISTS", "x"],
    [{ op: "insert", value: { id: "big", status: "s".repeat(70_000) } }, "TOO_LARGE", "65536"],
    [{ op: "update", key: "x", set: { id: "y" } }, "INVALID_ARGS", "key"],
    [{ op: "update", key: "x", set: { votes: "many" } }, "INVALID_ARGS", "tasks.votes"],
    [{ op: "update", key: "x" }, "INVALID_ARGS", "set"],
    [{ op: "update", key: "none", set: {} }, "NOT_FOUND", "none"],
    [{ op: "increment", key: "x", field: "status", by: 1 }, "INVALID_ARGS", "tasks.status"],
    [{ op: "increment", key: "x", field: "votes", by: 0.5 }, "INVALID_ARGS", "tasks.votes"],
    [{ op: "increment", key: "x", field: "votes", by: 6 }, "INVALID_ARGS", "votes"],
    [{ op: "complete", key: "x", token: 7 }, "CLAIM_LOST", "x"],
    [{ op: "burn", key: "x" }, "INVALID_ARGS", "op"],
  ])("refuse %j with %s, and change nothing", async (op, code, named) => {
    const harness = await withBoard({}, "x")
    const before = await rows(harness)
    const problem = await write(harness, [{ op: "insert", value: { id: "first" } }, op])
    expect(problem).toMatchObject({ code })
    expect(problem.detail).toContain(named)
    expect(await rows(harness)).toEqual(before)
  })

  test.each([
    [{ collections: {} }, "collections"],
    [{ collections: { claim: { schema: { type: "object" }, key: "id" } } }, "collections.claim"],
    [{ collections: { a: { schema: { type: "string" }, key: "id" } } }, "collections.a.schema"],
    [
      { collections: { a: { schema: { type: "object", properties: { x: { type: "wat" } } }, key: "id" } } },
      "collections.a.schema",
    ],
    [{ collections: { a: { schema: { type: "object" } } } }, "collections.a.key"],
  ])("refuse the definition %j", async (definition, field) => {
    const harness = await harnessOf()
    const { status, body } = await harness.call<Problem>("PUT", "/v1/shared/b1", definition)
    expect(status).toBe(422)
    expect(body.detail).toContain(field)
  })

  test("refuse a row that has changed, with what it is now", async () => {
    const harness = await withBoard({}, "a")
    const [before] = await rows(harness)
    await write(harness, [{ op: "update", key: "a", set: { status: "open" }, version: before?.version }])
    const problem = await write(harness, [
      { op: "update", key: "a", set: { status: "shut" }, version: before?.version },
    ])
    const [now] = await rows(harness)
    const details = { guard: "row", version: now?.version, value: `{"id":"a","status":"open"}` }
    expect(problem).toMatchObject({ code: "CONFLICT", details })
  })

  test("lose none of many changes of one row that are made at once", async () => {
    const harness = await withBoard({}, "a")
    const fields = ["kind", "status", "votes"] as const
    const values = { kind: "bug", status: "open", votes: 3 }
    await Promise.all(
      fields.map((field) => write(harness, [{ op: "update", key: "a", set: { [field]: values[field] } }])),
    )
    expect(await rows(harness)).toMatchObject([{ value: { id: "a", ...values } }])
  })

  test("do once what is asked twice under one key", async () => {
    const harness = await withBoard({}, "a")
    const add = (): Promise<Problem> =>
      write(harness, [{ op: "increment", key: "a", field: "votes", by: 1 }], { "idempotency-key": "k" })
    expect(await add()).toEqual(await add())
    expect(await rows(harness)).toMatchObject([{ value: { votes: 1 } }])
    const claimOnce = async (): Promise<unknown> =>
      (await harness.call("POST", "/v1/shared/b1/claims", { collection: "tasks" }, { "idempotency-key": "c" })).body
    expect(await claimOnce()).toEqual(await claimOnce())
  })

  test("hand out rows, and tell the log of a claim that expired", async () => {
    const now = { ms: Date.now() }
    const harness = await withBoard({ clock: () => now.ms, timerMsMax: 5 }, "a", "b")
    const [held] = await claim(harness, { holder: "ann", leaseMs: 5_000 })
    expect(held).toMatchObject({ key: "a", claim: { holder: "ann" } })
    expect(await write(harness, [{ op: "update", key: "a", set: {} }])).toMatchObject({ code: "ALREADY_CLAIMED" })
    const token = held?.claim?.token
    await write(harness, [{ op: "renew", key: "a", token, leaseMs: 9_000 }])
    now.ms += 6_000
    expect(await claim(harness, { holder: "bob" })).toMatchObject([{ key: "b" }])
    now.ms += 4_000
    await expect.poll(() => rows(harness), { timeout: 5_000 }).toMatchObject([{ key: "a" }, { key: "b" }])
    await expect.poll(async () => (await rows(harness))[0]?.claim, { timeout: 5_000 }).toBeUndefined()
    expect(await claim(harness, { holder: "bob", limit: 2 })).toMatchObject([{ key: "a" }])
    expect(await write(harness, [{ op: "complete", key: "a", token }])).toMatchObject({ code: "CLAIM_LOST" })
    expect(await claim(harness, { where: { status: "x" } })).toBeUndefined()
  })

  test("are not held up by a schema that takes for ever", async () => {
    const harness = await withBoard({})
    const define = (properties: object, more: object = {}) =>
      harness.call<Problem>("PUT", "/v1/shared/bomb", {
        collections: { rows: { schema: { type: "object", properties, ...more }, key: "id" } },
      })
    const insert = (value: object) =>
      harness.call<Problem>("POST", "/v1/shared/bomb/rows", { ops: [{ op: "insert", value }] })
    await define({ id: { type: "string", pattern: "^(a+)+$" } })
    expect((await insert({ id: "aaa" })).status).toBe(200)
    const slow = await insert({ id: `${"a".repeat(60)}!` })
    expect([slow.status, slow.body.detail]).toEqual([413, expect.stringContaining("schema takes too long")])
    // Each part names the next one twice.
    const part = (i: number) => ({ anyOf: [{ $ref: `#/$defs/p${i + 1}` }, { $ref: `#/$defs/p${i + 1}` }] })
    const parts = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`p${i}`, part(i)]))
    const $defs = { ...parts, p40: { type: "number" } }
    await define({ id: { type: "string" }, n: { $ref: "#/$defs/p0" } }, { $defs })
    expect((await insert({ id: "b", n: "no number" })).status).toBe(413)
    const text = `${'{"a":'.repeat(500)}1${"}".repeat(500)}`
    expect((await harness.call<Problem>("PUT", "/v1/shared/bomb", text)).body.code).toBe("BAD_JSON")
    expect((await define({ id: { type: "string", description: "x".repeat(200_000) } })).status).toBe(413)
    const where = encodeURIComponent('{"a\\"b":1}')
    expect((await harness.call("GET", `/v1/shared/bomb/rows?where=${where}`)).status).toBe(422)
  })

  test("show their rows as they were", async () => {
    const harness = await withBoard({}, "a")
    const at = async (): Promise<string> => (await harness.store.stream("shared/b1"))?.next ?? START
    const first = await at()
    const [held] = await claim(harness, { holder: "ann" })
    const second = await at()
    await write(harness, [
      { op: "complete", key: "a", token: held?.claim?.token, set: { status: "done" } },
      { op: "insert", value: { id: "b" } },
    ])
    expect(await rows(harness, `?at=${first}`)).toEqual([{ key: "a", value: { id: "a" }, version: held?.version }])
    expect(await rows(harness, `?at=${second}`)).toEqual([held])
    expect(await rows(harness, `?at=${await at()}`)).toEqual(await rows(harness))
    expect(await rows(harness)).toMatchObject([{ key: "a", done: true, value: { status: "done" } }, { key: "b" }])
    expect((await harness.call<Problem>("GET", `${TASKS}?at=nowhere`)).body.code).toBe("BAD_OFFSET")
  })

  test("are streams that a late reader opens from a snapshot", async () => {
    const harness = await withBoard({}, "a", "b")
    await claim(harness, { holder: "ann" })
    const response = await harness.call<readonly ChangeEvent[]>("GET", "/v1/stream/shared/b1?offset=-1&snapshot=true")
    const events = response.body.filter(({ type }) => type !== undefined)
    expect(events.map(({ type, key }) => `${type} ${key}`)).toEqual(["space b1", "tasks a", "claim tasks/a", "tasks b"])
    expect((await harness.call("POST", "/v1/stream/shared/b1", [{}])).status).toBe(405)
  })
})

describe("shared spaces in a handler", () => {
  let crashes = 0
  let seen: unknown[] = []
  const crash = (): void => {
    if (crashes <= 0) return
    crashes -= 1
    throw new Error("crashed")
  }
  const worker = defineEntity("worker", {
    async handler(ctx, wake) {
      const { tasks } = ctx.shared("b1", board)
      crash()
      await tasks.insert({ id: `${ctx.entity.id}-note` })
      const [row] = await tasks.claim({ where: { kind: "bug" } })
      seen.push(row?.key)
      if (wake.attempt === 1) crash()
      await tasks.increment("total", "votes")
      crash()
      if (row) await tasks.complete(row, { status: `by ${ctx.entity.id}` })
      crash()
      ctx.reply(row?.key ?? null)
    },
  })
  const clumsy = defineEntity("clumsy", {
    async handler(ctx) {
      const { tasks } = ctx.shared("b1", board)
      const row = await tasks.get("a")
      await tasks.update("a", row?.version, { status: "mine" })
      const refused: unknown = await tasks
        .update("a", row?.version, { status: "again" })
        .catch((error: unknown) => error)
      if (crashes > 0) await ctx.commit()
      crash()
      await tasks.insert({ id: `after-${RouseError.is(refused, "CONFLICT")}` })
      ctx.reply(RouseError.is(refused) ? refused.code : null)
    },
  })
  const model = defineEntity("model", {
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "", model: "rouse/echo", tools: ctx.shared("b1", board).tools() })
      await ctx.agent.run()
    },
  })

  const limits = { attemptsMax: 10 }
  const options = { entities: [worker, clumsy, model], limits }

  test.each([0, 1, 3])(
    "do each thing once, however often it crashes (%i times)",
    async (count) => {
      const harness = await withBoard(options)
      await write(harness, [
        { op: "insert", value: { id: "total" } },
        { op: "insert", value: { id: "one", kind: "bug" } },
        { op: "insert", value: { id: "two", kind: "bug" } },
      ])
      crashes = count
      seen = []
      await harness.spawn("/worker/w")
      expect(await harness.ask("/worker/w", "go")).toMatchObject({ reply: "one" })
      expect(new Set(seen)).toEqual(new Set(["one"]))
      expect(await rows(harness)).toMatchObject([
        { key: "one", done: true, value: { status: "by w" } },
        { key: "total", value: { votes: 1 } },
        { key: "two" },
        { key: "w-note" },
      ])
      const state = (
        await harness.call<{ rows: readonly { collection: string }[] }>("GET", "/v1/entities/worker/w/state")
      ).body
      expect(state.rows.filter(({ collection }) => collection === "memo")).toEqual([])
    },
    20_000,
  )

  test.each([0, 1])("remember that a write was refused (%i crashes)", async (count) => {
    const harness = await withBoard(options, "a")
    crashes = count
    await harness.spawn("/clumsy/c")
    expect(await harness.ask("/clumsy/c", "go")).toMatchObject({ reply: "CONFLICT" })
    expect(await rows(harness)).toMatchObject([{ key: "a", value: { status: "mine" } }, { key: "after-true" }])
  })

  test("do nothing again in the wake that has the answer to a question", async () => {
    const colleague = defineEntity("colleague", { handler: (ctx) => ctx.reply("yes") })
    const asker = defineEntity("asker", {
      async handler(ctx) {
        const { tasks } = ctx.shared("b1", board)
        await tasks.increment("total", "votes")
        const [row] = await tasks.claim({ where: { kind: "bug" } })
        const answer = (await ctx.ask("/colleague/c", "is it done?")) as string
        if (row) await tasks.complete(row, { status: answer })
        ctx.reply(row?.key ?? null)
      },
    })
    const harness = await withBoard({ entities: [asker, colleague] }, "total")
    await write(harness, [
      { op: "insert", value: { id: "one", kind: "bug" } },
      { op: "insert", value: { id: "two", kind: "bug" } },
    ])
    await harness.spawn("/colleague/c")
    await harness.spawn("/asker/a")
    expect(await harness.ask("/asker/a", "go")).toMatchObject({ reply: "one" })
    const [one, total, two] = await rows(harness)
    expect(one).toMatchObject({ done: true, value: { status: "yes" } })
    expect([total?.value, two?.claim]).toEqual([{ id: "total", votes: 1 }, undefined])
  })

  test("behind a webhook do as those in process do", async () => {
    const network = new Network()
    const harness = await harnessOf({ endpoints: network.webhooks })
    network.serve("http://127.0.0.1:1/agents", () => harness, { entities: [worker, clumsy], version: "v1" })
    await harness.call("POST", "/v1/types", { url: "http://127.0.0.1:1/agents" })
    crashes = 0
    await harness.call("PUT", "/v1/shared/b1", board.definition)
    await write(harness, [
      { op: "insert", value: { id: "a", kind: "bug" } },
      { op: "insert", value: { id: "total" } },
    ])
    await harness.spawn("/clumsy/d")
    expect(await harness.ask("/clumsy/d", "go")).toMatchObject({ reply: "CONFLICT" })
    await harness.spawn("/worker/w")
    expect(await harness.ask("/worker/w", "go")).toMatchObject({ reply: "a" })
    expect((await rows(harness)).map(({ key }) => key)).toEqual(["a", "after-true", "total", "w-note"])
    expect((await harness.call("POST", "/v1/claims/shared", { kind: "get" })).status).toBe(401)
  }, 20_000)

  test("make their own space, and say who wrote", async () => {
    const harness = await harnessOf(options)
    crashes = 0
    await harness.spawn("/model/m")
    await harness.ask("/model/m", `/call tasks_add {"row":{"id":"t1","votes":1}}`)
    const { body } = await harness.call<readonly ChangeEvent[]>("GET", "/v1/stream/shared/b1?offset=-1")
    expect(body[0]).toMatchObject({ type: "space", key: "b1" })
    expect(body.at(-1)).toMatchObject({ type: "tasks", key: "t1", headers: { by: "/model/m" } })
  })

  test("are tools of a model", async () => {
    const harness = await withBoard(options, "a")
    await harness.spawn("/model/m")
    const call = async (name: string, input: object): Promise<ToolCallRow | undefined> => {
      await harness.ask("/model/m", `/call ${name} ${JSON.stringify(input)}`)
      const { rows: found } = (
        await harness.call<{ rows: { value: ToolCallRow }[] }>("GET", "/v1/entities/model/m/state/tool_call")
      ).body
      return found.at(-1)?.value
    }
    expect(await call("tasks_add", { row: { id: "t1", votes: 1 } })).toMatchObject({ status: "done" })
    expect(await call("tasks_add", { row: { id: "t1" } })).toMatchObject({ status: "failed" })
    expect(await call("tasks_increment", { key: "t1", field: "votes" })).toMatchObject({ status: "done" })
    expect(await call("tasks_get", { key: "t1" })).toMatchObject({ output: { value: { votes: 2 } } })
    expect(await call("tasks_list", {})).toMatchObject({ output: { rows: [{ key: "a" }, { key: "t1" }] } })
    const claimed = await call("tasks_claim", {})
    expect(claimed).toMatchObject({ output: [{ key: "a", claim: { holder: "/model/m" } }] })
    const [held] = (claimed?.output ?? []) as unknown as readonly SharedRow[]
    expect(await call("tasks_update", { key: "a", set: { status: "doing" }, version: 1 })).toMatchObject({
      status: "failed",
    })
    expect(
      await call("tasks_complete", { key: "a", token: held?.claim?.token, set: { status: "done" } }),
    ).toMatchObject({ status: "done" })
    expect(await rows(harness)).toMatchObject([{ key: "a", done: true, value: { status: "done" } }, { key: "t1" }])
  })
})
