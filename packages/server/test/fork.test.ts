import { defineEntity, tool } from "@rouse/agents"
import type { EntityDetail, Forked, Json, MessageRow, Problem, RunRow, ToolCallRow, WakeRow } from "@rouse/protocol"
import { afterEach, beforeEach, expect, test } from "vitest"
import { z } from "zod"
import { Harness } from "./harness.ts"

let ran: string[] = []
/** Ends the calls that hang. */
let release: () => void
let hung: Promise<void>
let steps = 0
let reasons: string[][] = []

const act = (name: string, effect: "pure" | "idempotent" | "reconcilable" | "once") =>
  tool({
    name,
    description: name,
    input: z.object({ hang: z.boolean().optional() }),
    effect,
    execute: async ({ hang }, { idempotencyKey }) => {
      ran.push(`${name} ${idempotencyKey.split("@")[0]}`)
      if (hang) await hung
      return name
    },
    ...(effect === "reconcilable" ? { reconcile: () => undefined } : {}),
  })

const talker = defineEntity("talker", {
  async handler(ctx, wake) {
    reasons.push(wake.reasons.map((reason) => reason.kind))
    await ctx.step("count", () => (steps += 1))
    ctx.useAgent({
      systemPrompt: "",
      model: "rouse/echo",
      tools: [
        ...ctx.tools,
        act("look", "pure"),
        act("put", "idempotent"),
        act("pay", "once"),
        act("refund", "reconcilable"),
      ],
    })
    await ctx.agent.run()
  },
})

const splitter = defineEntity("splitter", {
  async handler(ctx, wake) {
    if (wake.first) ctx.reply(ctx.fork(undefined, { id: "branch", message: "plan B" }))
    else ctx.reply(wake.reasons.map((reason) => reason.kind).join())
    await ctx.commit()
  },
})

let harness: Harness

beforeEach(async () => {
  ran = []
  steps = 0
  reasons = []
  hung = new Promise((resolve) => {
    release = resolve
  })
  harness = await Harness.open({ entities: [talker, splitter] })
})

afterEach(async () => {
  release()
  await harness.close()
})

const fork = (url: string, body: unknown = {}): Promise<{ status: number; body: Forked }> =>
  harness.call("POST", `/v1/entities${url}/fork`, body)

test("a fork begins with the history up to an offset, and the two go on apart", async () => {
  await harness.spawn("/talker/a")
  await harness.ask("/talker/a", "one")
  const { body: then } = await harness.call<EntityDetail>("GET", "/v1/entities/talker/a")
  await harness.ask("/talker/a", "two")
  const { status, body } = await fork("/talker/a", { at: then.offset, id: "b" })
  expect(status).toBe(201)
  expect(body).toMatchObject({
    entity: { url: "/talker/b", status: "idle", parent: null, forkedFrom: { url: "/talker/a", offset: then.offset } },
    from: { url: "/talker/a", offset: then.offset },
  })
  expect(await harness.ask("/talker/b", "three")).toMatchObject({ status: "processed", reply: "You said: three" })
  const contents = async (url: string): Promise<readonly Json[]> =>
    (await harness.rows<MessageRow>(url, "message")).map((row) => row.value.content)
  expect(await contents("/talker/b")).toEqual(["one", "three"])
  expect(await contents("/talker/a")).toEqual(["one", "two"])
  const log = await harness.log("/talker/b")
  expect(log.filter((event) => event.type === "entity").at(-1)?.value).toMatchObject({ url: "/talker/b" })
  expect(await harness.rows("/talker/b", "entity")).toHaveLength(1)
})

test("the same fork again changes nothing, and what is not one is refused", async () => {
  await harness.spawn("/talker/a", { message: "hello" })
  await harness.ask("/talker/a", "more")
  expect((await fork("/talker/a", { id: "b" })).status).toBe(201)
  expect((await fork("/talker/a", { id: "b" })).status).toBe(200)
  expect((await fork("/talker/b", { id: "a" })).body).toMatchObject({ code: "ALREADY_EXISTS" })
  expect((await fork("/talker/none")).body).toMatchObject({ code: "UNKNOWN_ENTITY" })
  expect((await fork("/talker/a", { at: "nonsense" })).body).toMatchObject({ code: "BAD_OFFSET" })
  expect((await fork("/talker/a", { at: "-1" })).body).toMatchObject({ code: "BAD_OFFSET" })
  expect((await fork("/talker/a", { id: "!" })).body).toMatchObject({ code: "BAD_REQUEST" })
  expect((await fork("/talker/a", { as: "b" })).body as unknown as Problem).toMatchObject({ code: "INVALID_ARGS" })
})

const openCall = async (name: string): Promise<void> => {
  await harness.spawn("/talker/a", { message: `/call ${name} {"hang":true}` })
  await harness.until(async () => ran.length === 1, "the tool began")
}

test.each(["pay", "refund"])(
  "a call of %s that was open is unknown in the fork, and never executed there",
  async (name) => {
    await openCall(name)
    const { body } = await fork("/talker/a", { id: "b", run: true })
    expect(body.forks).toEqual({ "/talker/a": "/talker/b" })
    await harness.until(
      async () => (await harness.rows<RunRow>("/talker/b", "run"))[0]?.value.status === "completed",
      "its run ended",
    )
    expect((await harness.rows<ToolCallRow>("/talker/b", "tool_call"))[0]?.value.status).toBe("unknown")
    expect(ran).toEqual([`${name} talker/a`])
    release()
    await harness.until(
      async () => (await harness.rows<RunRow>("/talker/a", "run"))[0]?.value.status === "completed",
      "the original's ended",
    )
    expect((await harness.rows<ToolCallRow>("/talker/a", "tool_call"))[0]?.value.status).toBe("done")
  },
)

test("the run that was open goes on in the fork: what its wake remembers holds, and an idempotent call keeps its key", async () => {
  await openCall("put")
  const { body } = await fork("/talker/a", { id: "b" })
  expect(body.entity.status).toBe("suspended")
  expect(steps).toBe(1)
  release()
  expect(await harness.ask("/talker/b", "and then")).toMatchObject({ status: "processed" })
  expect(steps).toBe(1)
  expect(ran).toEqual(["put talker/a", "put talker/a"])
  const wakes = (await harness.log("/talker/b")).filter((event) => event.type === "wake") as unknown as {
    value: WakeRow
  }[]
  expect(wakes.at(-1)?.value).toMatchObject({ attempt: 2, outcome: "completed" })
})

test("new calls of a fork have keys of their own", async () => {
  await harness.spawn("/talker/a")
  await harness.ask("/talker/a", "hello")
  await fork("/talker/a", { id: "b", message: "/call pay {}" })
  await harness.until(async () => ran.length === 1, "it paid")
  expect(ran).toEqual(["pay talker/b"])
  expect(reasons.at(-1)).toEqual(["forked", "message"])
})

test("what waited is cancelled in a fork at rest, and goes on in one that is roused", async () => {
  await openCall("look")
  await harness.call("POST", "/v1/entities/talker/a/messages", { content: "later", mode: "queue" })
  await fork("/talker/a", { id: "rest" })
  await fork("/talker/a", { id: "go", run: true })
  release()
  await harness.until(async () => {
    const rows = await harness.rows<MessageRow>("/talker/go", "message")
    return rows.every((row) => row.value.status === "processed")
  }, "all was processed")
  const rest = await harness.rows<MessageRow>("/talker/rest", "message")
  expect(rest.map((row) => [row.value.content, row.value.status])).toEqual([
    ['/call look {"hang":true}', "taken"],
    ["later", "cancelled"],
  ])
})

test("a tree is forked with its children, under addresses of their own", async () => {
  await harness.spawn("/talker/a", { message: '/spawn talker c "hello"' })
  await harness.until(async () => {
    const rows = await harness.rows<{ status: string }>("/talker/a", "child")
    return rows[0]?.value.status === "completed"
  }, "the child ended")
  await harness.until(
    async () => (await harness.call<EntityDetail>("GET", "/v1/entities/talker/a")).body.status === "idle",
    "at rest",
  )
  const { body } = await fork("/talker/a", { id: "b", tree: true })
  const child = body.forks["/talker/c"] ?? ""
  expect(child).toMatch(/^\/talker\/c~/)
  expect((await harness.call<EntityDetail>("GET", `/v1/entities${child}`)).body).toMatchObject({
    parent: "/talker/b",
    status: "idle",
  })
  expect((await harness.rows("/talker/b", "child")).map((row) => row.key)).toEqual([child])
  const calls = await harness.rows<ToolCallRow>("/talker/b", "tool_call")
  expect(calls[0]?.value.output).toEqual({ url: child })
  await harness.ask(child, "again")
  await harness.until(async () => {
    const rows = await harness.rows<MessageRow>("/talker/b", "message")
    return rows.filter((row) => row.value.kind === "childFinished").length === 2
  }, "the forked parent was told")
  const told = (await harness.rows<MessageRow>("/talker/a", "message")).filter(
    (row) => row.value.kind === "childFinished",
  )
  expect(told).toHaveLength(1)
})

test("a handler forks itself once: a child without the run under way", async () => {
  await harness.spawn("/splitter/a")
  expect((await harness.ask("/splitter/a", "go")).reply).toBe("/splitter/branch")
  await harness.until(
    async () => (await harness.rows<RunRow>("/splitter/branch", "run")).some((row) => row.value.status === "completed"),
    "the branch ran",
  )
  expect((await harness.call<EntityDetail>("GET", "/v1/entities/splitter/branch")).body).toMatchObject({
    parent: "/splitter/a",
  })
  await harness.until(
    async () => (await harness.rows<{ status: string }>("/splitter/a", "child"))[0]?.value.status === "completed",
    "its parent was told",
  )
})
