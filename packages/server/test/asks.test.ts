import { defineEntity } from "@rouse/agents"
import { scriptedModel } from "@rouse/agents/testing"
import type { EntityUrl, MessageRow, RouseError } from "@rouse/protocol"
import { openStore } from "@rouse/store"
import { afterEach, expect, onTestFinished, test } from "vitest"
import { Harness, temporaryStore } from "./harness.ts"

/** Questions between entities, over a store. */

const ASKER = "/asker/a"
const HELPER: EntityUrl = "/helper/h"
const outcomeOf = async (work: Promise<unknown>): Promise<unknown> => work.catch((error: RouseError) => error.code)

/** How often the step before a question was taken. */
let steps = 0
const asker = defineEntity("asker", {
  async handler(ctx, wake) {
    await ctx.step("before", () => (steps += 1))
    const { to, timeout } = (wake.messages[0]?.content ?? {}) as { to: EntityUrl; timeout?: number }
    ctx.reply((await outcomeOf(ctx.ask(to, "well?", timeout === undefined ? {} : { timeout }))) as string)
  },
})
/** Replies when it is told to go on. */
const helper = defineEntity("helper", {
  attempts: 1,
  handler(ctx, wake) {
    const said = wake.messages.at(-1)?.content
    if (said === "break") throw new Error("it broke")
    if (said === "go on") ctx.reply("here you are")
    else ctx.suspend()
  },
})
const modelled = defineEntity("modelled", {
  async handler(ctx) {
    const model = scriptedModel([{ calls: [{ tool: "ask", input: { to: HELPER, message: "well?" } }] }, "Thanks."])
    ctx.useAgent({ systemPrompt: "Ask.", model, tools: ctx.tools })
    await ctx.agent.run()
  },
})

/** Asks whom it has just made and sent something. */
const maker = defineEntity("maker", {
  async handler(ctx) {
    const child = ctx.spawn("helper", "made", {}, { wake: "never" })
    ctx.send(child, "go on")
    ctx.reply(await ctx.ask(child, "go on"))
  },
})

const open: Harness[] = []
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.close()
})

async function serve(more: Partial<Parameters<typeof Harness.open>[0]> = {}): Promise<Harness> {
  const harness = await Harness.open({ entities: [asker, helper, modelled, maker], ...more })
  open.push(harness)
  return harness
}

const send = (harness: Harness, url: string, content: unknown) =>
  harness.call<{ message: string }>("POST", `/v1/entities${url}/messages`, { content })
const statusOf = async (harness: Harness, url: string) =>
  (await harness.call<{ status: string; pending: number }>("GET", `/v1/entities${url}`)).body
const messages = async (harness: Harness, url: string) =>
  (await harness.rows<MessageRow>(url, "message")).map((row) => row.value)

async function asked(harness: Harness, content: unknown = { to: HELPER }): Promise<void> {
  await harness.spawn(HELPER)
  await harness.spawn(ASKER)
  await send(harness, ASKER, content)
  await harness.until(
    async () =>
      (await statusOf(harness, ASKER)).status === "suspended" && (await messages(harness, HELPER)).length === 1,
    "it is asked",
  )
}

const replyOf = async (harness: Harness): Promise<unknown> => {
  await harness.until(async () => (await statusOf(harness, ASKER)).status === "idle", "the asker ends")
  const runs = await harness.rows<{ reply: unknown }>(ASKER, "run")
  expect(runs).toHaveLength(1)
  return runs[0]?.value.reply
}

test("the reply of the one that is asked is told, also by the next server; nothing is left", async () => {
  const place = await temporaryStore()
  onTestFinished(() => place.remove())
  const first = await serve({ store: place.store })
  await asked(first)
  expect((await messages(first, HELPER))[0]).toMatchObject({
    content: "well?",
    from: { kind: "agent", id: ASKER },
    mode: "queue",
  })
  open.splice(0)
  await first.close()
  const second = await serve({ store: await openStore({ directory: place.directory, clock: Date.now }) })
  await send(second, HELPER, "go on")
  expect(await replyOf(second)).toBe("here you are")
  expect(await second.rows(ASKER, "memo")).toEqual([])
  expect(await second.store.dueTimers(Date.now() + 1e12, 10)).toEqual([])
  expect((await second.store.entity(HELPER))?.control["asked"]).toEqual({})
})

test.each([
  ["break", "HANDLER_FAILED"],
  ["kill", "INTERRUPTED"],
  ["interrupt", "INTERRUPTED"],
])("%s of the one that is asked is told", async (how, code) => {
  const harness = await serve()
  await asked(harness)
  if (how === "break") await send(harness, HELPER, "break")
  else await harness.call("POST", `/v1/entities${HELPER}/signals`, { signal: how })
  expect(await replyOf(harness)).toBe(code)
})

test("one that is not there, is stopped or is full is told at once", async () => {
  const harness = await serve()
  await harness.spawn("/helper/stopped")
  await harness.call("POST", "/v1/entities/helper/stopped/signals", { signal: "kill" })
  await harness.spawn(ASKER)
  expect(await harness.ask(ASKER, { to: "/helper/none" })).toMatchObject({ reply: "UNKNOWN_ENTITY" })
  expect(await harness.ask(ASKER, { to: "/helper/stopped" })).toMatchObject({ reply: "STOPPED" })
  const full = await serve({ limits: { pendingMax: 1 } })
  await full.spawn("/helper/full")
  await full.call("POST", "/v1/entities/helper/full/signals", { signal: "pause" })
  await send(full, "/helper/full", "one")
  await full.spawn(ASKER)
  expect(await full.ask(ASKER, { to: "/helper/full" })).toMatchObject({ reply: "RATE_LIMITED" })
})

test("the deadline is told once, and a reply that comes after it is nothing", async () => {
  const harness = await serve()
  await asked(harness, { to: HELPER, timeout: 50 })
  expect(await replyOf(harness)).toBe("TIMED_OUT")
  const { body } = await send(harness, HELPER, "go on")
  await harness.until(
    async () => (await messages(harness, HELPER)).every(({ status }) => status === "processed"),
    body.message,
  )
  expect((await messages(harness, ASKER)).filter(({ kind }) => kind === "toolResult")).toHaveLength(1)
  expect(await statusOf(harness, ASKER)).toMatchObject({ status: "idle", pending: 0 })
})

test("an asker that is interrupted hears no more of it", async () => {
  const harness = await serve()
  await asked(harness)
  await harness.call("POST", `/v1/entities${ASKER}/signals`, { signal: "interrupt" })
  await harness.until(async () => (await statusOf(harness, ASKER)).status === "idle", "it is interrupted")
  await send(harness, HELPER, "go on")
  await harness.until(async () => (await statusOf(harness, HELPER)).status === "idle", "the reply comes")
  expect((await messages(harness, ASKER)).map(({ kind }) => kind)).not.toContain("toolResult")
  // And what it asks next is answered, whatever an earlier run left behind.
  await send(harness, ASKER, { to: HELPER })
  await harness.until(async () => (await messages(harness, HELPER)).length === 3, "it is asked again")
  await send(harness, HELPER, "go on")
  await harness.until(async () => (await statusOf(harness, ASKER)).status === "idle", "the asker ends")
  const runs = await harness.rows<{ reply?: unknown }>(ASKER, "run")
  expect(runs.map(({ value }) => value.reply)).toEqual([undefined, "here you are"])
})

test("many ask one at the same time, and each is told once", async () => {
  const harness = await serve()
  await harness.spawn(HELPER)
  const askers = Array.from({ length: 30 }, (_, n) => `/asker/a${n}`)
  await Promise.all(askers.map(async (url) => harness.spawn(url, { message: { to: HELPER } })))
  await harness.until(async () => (await messages(harness, HELPER)).length === 30, "all have asked")
  await send(harness, HELPER, "go on")
  await harness.until(
    async () =>
      (await Promise.all(askers.map((url) => statusOf(harness, url)))).every(({ status }) => status === "idle"),
    "all are told",
  )
  for (const url of askers)
    expect((await messages(harness, url)).filter(({ kind }) => kind === "toolResult")).toHaveLength(1)
})

test("a model asks, and no process waits", async () => {
  const harness = await serve()
  await harness.spawn(HELPER)
  await harness.spawn("/modelled/m", { message: "go" })
  await harness.until(async () => (await messages(harness, HELPER)).length === 1, "it is asked")
  await harness.until(async () => (await statusOf(harness, "/modelled/m")).status === "suspended", "it is suspended")
  expect(harness.server.activeWakes).toBe(0)
  await send(harness, HELPER, "go on")
  await harness.until(async () => (await statusOf(harness, "/modelled/m")).status === "idle", "it ends")
  const calls = await harness.rows<{ status: string; output: unknown }>("/modelled/m", "tool_call")
  expect(calls[0]?.value).toMatchObject({ status: "done", output: "here you are" })
})

test("a fork of one that waits is told that the answer is not its own, and does nothing again", async () => {
  const harness = await serve()
  await asked(harness)
  const before = steps
  const fork = await harness.call("POST", `/v1/entities${ASKER}/fork`, { id: "fork", run: true })
  expect(fork.status).toBe(201)
  await harness.until(async () => (await statusOf(harness, "/asker/fork")).status === "idle", "the fork ends")
  const [run] = await harness.rows<{ reply: unknown }>("/asker/fork", "run")
  expect([run?.value.reply, steps, (await messages(harness, HELPER)).length]).toEqual(["INTERRUPTED", before, 1])
  await send(harness, HELPER, "go on")
  expect(await replyOf(harness)).toBe("here you are")
})

test("a fork that its model's question left open goes on without the answer", async () => {
  const harness = await serve()
  await harness.spawn(HELPER)
  await harness.spawn("/modelled/m", { message: "go" })
  await harness.until(async () => (await statusOf(harness, "/modelled/m")).status === "suspended", "it waits")
  await harness.call("POST", "/v1/entities/modelled/m/fork", { id: "fork", run: true })
  await harness.until(async () => (await statusOf(harness, "/modelled/fork")).status === "idle", "the fork ends")
  const calls = await harness.rows<{ status: string }>("/modelled/fork", "tool_call")
  expect(calls.map(({ value }) => value.status)).toEqual(["cancelled"])
})

const bundleOf = async (harness: Harness, url: string): Promise<string> =>
  (await harness.server.fetch(new Request(`http://localhost/v1/entities${url}/export?tree=true`))).text()

test("one that waits and is imported without who was asked does not wait for ever", async () => {
  const [here, there] = [await serve(), await serve()]
  await asked(here)
  expect((await there.call("POST", "/v1/import", await bundleOf(here, ASKER))).status).toBe(201)
  expect(await replyOf(there)).toBe("TIMED_OUT")
})

test("a copy of one that was asked answers nobody but those that came with it", async () => {
  const harness = await serve()
  await asked(harness)
  const copied = await harness.call("POST", "/v1/import?as=/helper/copy", await bundleOf(harness, HELPER))
  expect(copied.status).toBe(201)
  expect((await harness.store.entity("/helper/copy"))?.control["asked"]).toBeUndefined()
  await send(harness, "/helper/copy", "go on")
  await harness.until(async () => (await statusOf(harness, "/helper/copy")).status === "idle", "the copy replies")
  expect((await statusOf(harness, ASKER)).status).toBe("suspended")
  await send(harness, HELPER, "go on")
  expect(await replyOf(harness)).toBe("here you are")
})

test("a tree that asks within itself is answered where it was imported", async () => {
  const parent = defineEntity("parent", {
    async handler(ctx, wake) {
      if (wake.first) ctx.spawn("helper", "child", {})
      await ctx.commit()
      ctx.reply((await outcomeOf(ctx.ask("/helper/child", "well?"))) as string)
    },
  })
  const entities = [parent, helper]
  const [here, there] = [await serve({ entities }), await serve({ entities })]
  await here.spawn("/parent/p", { message: "go" })
  await here.until(async () => (await statusOf(here, "/helper/child")).status === "suspended", "it is asked")
  await here.until(async () => (await statusOf(here, "/parent/p")).status === "suspended", "it waits")
  await there.call("POST", "/v1/import", await bundleOf(here, "/parent/p"))
  await send(there, "/helper/child", "go on")
  await there.until(async () => (await statusOf(there, "/parent/p")).status === "idle", "it is answered")
  expect((await there.rows<{ reply: unknown }>("/parent/p", "run"))[0]?.value.reply).toBe("here you are")
})

test("a handler asks whom it has just made", async () => {
  const harness = await serve()
  await harness.spawn("/maker/m")
  expect(await harness.ask("/maker/m", "make one")).toMatchObject({ status: "processed", reply: "here you are" })
})
