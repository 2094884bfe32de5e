import { defineEntity, type EntityDefinition, tool } from "@rouse/agents"
import type {
  ApprovalRow,
  ChildRow,
  EntityDetail,
  ErrorRow,
  MessageRow,
  RunRow,
  Settled,
  ToolCallRow,
  WakeRow,
} from "@rouse/protocol"
import { afterEach, expect, test } from "vitest"
import { z } from "zod"
import { Harness, type HarnessOptions } from "./harness.ts"
import { openTestStore } from "./support/test-store.ts"

const open: Harness[] = []
async function harnessOf(options: HarnessOptions): Promise<Harness> {
  const harness = await Harness.open(options)
  open.push(harness)
  return harness
}
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.close()
})

async function statusOf(harness: Harness, url: string): Promise<string> {
  return (await harness.call<EntityDetail>("GET", `/v1/entities${url}`)).body.status
}

async function wakes(harness: Harness, url: string): Promise<readonly WakeRow[]> {
  const events = await harness.log(url)
  return events
    .filter((event) => event.type === "wake")
    .map((event) => event.value as unknown as WakeRow)
    .filter((wake) => wake.endedAt !== undefined)
}

test("a handler that throws is tried again, and its message is settled once", async () => {
  let runs = 0
  const flaky = defineEntity("flaky", {
    async handler(ctx, wake) {
      runs += 1
      if (wake.attempt < 2) throw new Error("not yet")
      ctx.reply(`attempt ${wake.attempt}`)
    },
  })
  const harness = await harnessOf({ entities: [flaky] })
  await harness.spawn("/flaky/a")
  expect(await harness.ask("/flaky/a", "go")).toMatchObject({ status: "processed", reply: "attempt 2" })
  expect(runs).toBe(2)
  expect((await wakes(harness, "/flaky/a")).map((wake) => wake.outcome)).toEqual(["retry", "completed"])
})

test("every attempt of a wake is shown the same messages, also when an earlier one had taken them", async () => {
  const seen: string[][] = []
  const careful = defineEntity("careful", {
    async handler(ctx, wake) {
      seen.push(wake.messages.map((message) => String(message.content)))
      await ctx.commit()
      await ctx.step("work", () => "worked")
      if (wake.attempt === 1) throw new Error("after the first commit")
      ctx.reply(seen.at(-1)?.join() ?? "")
    },
  })
  const harness = await harnessOf({ entities: [careful] })
  await harness.spawn("/careful/a")
  expect(await harness.ask("/careful/a", "go")).toMatchObject({ status: "processed", reply: "go" })
  expect(seen).toEqual([["go"], ["go"]])
})

test("a further attempt is not shown what arrived meanwhile: that is for the next wake", async () => {
  const seen: string[][] = []
  const careful = defineEntity("careful", {
    async handler(ctx, wake) {
      seen.push(wake.messages.map((message) => String(message.content)))
      for (const message of wake.messages) ctx.send("/sink/a", `${String(message.content)} began`)
      await ctx.commit()
      if (seen.length === 1) {
        await harness.call("POST", "/v1/entities/careful/a/messages", { content: "late" })
        throw new Error("after the first commit")
      }
      for (const message of wake.messages) ctx.send("/sink/a", `${String(message.content)} ended`)
    },
  })
  const sink = defineEntity("sink", { handler: () => undefined })
  const harness = await harnessOf({ entities: [careful, sink] })
  await harness.spawn("/sink/a")
  await harness.spawn("/careful/a")
  await harness.ask("/careful/a", "go")
  await harness.until(async () => (await harness.rows("/sink/a", "message")).length === 4, "both were answered")
  expect(seen).toEqual([["go"], ["go"], ["late"]])
  const sent = (await harness.rows<MessageRow>("/sink/a", "message")).map((row) => row.value.content)
  expect(sent).toEqual(["go began", "go ended", "late began", "late ended"])
})

test("attempts that are spent dead-letter the message with the reason and the stack, and retry accepts it again", async () => {
  let broken = true
  const brittle = defineEntity("brittle", {
    attempts: 1,
    async handler(ctx) {
      if (broken) throw new Error("the database is on fire")
      ctx.reply("well again")
    },
  })
  const harness = await harnessOf({ entities: [brittle] })
  await harness.spawn("/brittle/a")
  const settled = await harness.ask("/brittle/a", "go")
  expect(settled).toMatchObject({ status: "dead", reason: "the database is on fire" })
  expect(await statusOf(harness, "/brittle/a")).toBe("dead")
  const errors = (await harness.log("/brittle/a")).filter((event) => event.type === "error")
  const error = errors[0]?.value as unknown as ErrorRow | undefined
  expect(error?.stack).toContain("wakes.test.ts")
  broken = false
  expect((await harness.call("POST", "/v1/entities/brittle/a/retry")).body).toMatchObject({ messages: 1 })
  await harness.until(
    async () => (await harness.rows<MessageRow>("/brittle/a", "message"))[0]?.value.status === "processed",
    "processed",
  )
  expect(await statusOf(harness, "/brittle/a")).toBe("idle")
})

test("a server's own bound on attempts holds for types that name none", async () => {
  let runs = 0
  const broken = defineEntity("broken", {
    handler() {
      runs += 1
      throw new Error("never")
    },
  })
  const harness = await harnessOf({ entities: [broken], limits: { attemptsMax: 1 } })
  await harness.spawn("/broken/a")
  expect(await harness.ask("/broken/a", "go")).toMatchObject({ status: "dead", reason: "never" })
  expect(runs).toBe(1)
})

test("a dead agent is roused by a new message", async () => {
  const picky = defineEntity("picky", {
    attempts: 1,
    async handler(ctx, wake) {
      if (wake.messages.some((message) => message.content === "bad")) throw new Error("bad message")
      ctx.reply("good")
    },
  })
  const harness = await harnessOf({ entities: [picky] })
  await harness.spawn("/picky/a")
  expect((await harness.ask("/picky/a", "bad")).status).toBe("dead")
  expect(await harness.ask("/picky/a", "fine")).toMatchObject({ status: "processed", reply: "good" })
})

test("a handler that hangs loses its wake, and hurts nobody else", async () => {
  const hung = defineEntity("hung", { timeout: 40, attempts: 2, handler: () => new Promise(() => undefined) })
  const fine = defineEntity("fine", { handler: (ctx) => ctx.reply("here") })
  const harness = await harnessOf({ entities: [hung, fine], limits: { graceMs: 20 } })
  await harness.spawn("/hung/a")
  await harness.spawn("/fine/a")
  const lost = harness.ask("/hung/a", "go")
  expect((await harness.ask("/fine/a", "hi")).reply).toBe("here")
  expect(await lost).toMatchObject({ status: "dead", reason: expect.stringContaining("committed nothing for 40 ms") })
})

test("what a handler returns is of no matter, and a throw of nothing is an error too", async () => {
  const odd = defineEntity("odd", {
    attempts: 1,
    handler(_ctx, wake) {
      // eslint-disable-next-line no-throw-literal
      if (wake.messages[0]?.content === "throw") return Promise.reject(undefined)
      return { garbage: () => 1 }
    },
  })
  const harness = await harnessOf({ entities: [odd] })
  await harness.spawn("/odd/a")
  expect((await harness.ask("/odd/a", "return")).status).toBe("processed")
  expect((await harness.ask("/odd/a", "throw")).status).toBe("dead")
})

test("a new server on the store of a dead one goes on at once, and the dead one's late commits are fenced", async () => {
  const store = await openTestStore({ clock: Date.now })
  let attempts = 0
  let late: (() => void) | undefined
  const held = defineEntity("held", {
    async handler(ctx, wake) {
      attempts += 1
      if (wake.attempt === 1) await new Promise<void>((resolve) => (late = resolve))
      ctx.reply(`by attempt ${wake.attempt}`)
    },
  })
  const first = await Harness.open({ entities: [held], store })
  await first.spawn("/held/a", { message: "go" })
  await first.until(async () => attempts === 1, "the first attempt began")
  const second = await harnessOf({ entities: [held], store })
  await second.until(
    async () => (await second.rows<RunRow>("/held/a", "run"))[0]?.value.status === "completed",
    "completed",
  )
  late?.()
  await first.server.close({ graceMs: 50 })
  const runs = await second.rows<RunRow>("/held/a", "run")
  expect(runs.map((row) => row.value.reply)).toEqual(["by attempt 2"])
  const messages = (await second.log("/held/a")).filter(
    (event) => event.type === "message" && event.headers.operation === "update",
  )
  expect(messages.map((event) => (event.value as unknown as MessageRow).status)).toEqual(["processed"])
})

test("a shutdown gives the wake back, and it goes on elsewhere", async () => {
  const store = await openTestStore({ clock: Date.now })
  const patient = defineEntity("patient", {
    async handler(ctx, wake) {
      if (wake.attempt === 1) {
        await new Promise((_, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason)))
      }
      ctx.reply("done")
    },
  })
  const first = await Harness.open({ entities: [patient], store })
  await first.spawn("/patient/a", { message: "go" })
  await first.until(async () => first.server.activeWakes === 1, "running")
  await first.server.close({ graceMs: 1_000 })
  expect((await store.entity("/patient/a"))?.status).toBe("queued")
  const second = await harnessOf({ entities: [patient], store })
  await second.until(async () => (await statusOf(second, "/patient/a")) === "idle", "idle")
  expect((await second.rows<RunRow>("/patient/a", "run"))[0]?.value.reply).toBe("done")
})

const sleeper = () =>
  defineEntity("sleeper", {
    async handler(ctx, wake) {
      if (wake.messages.some((message) => message.content === "sleep")) {
        await new Promise((_, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason)))
      }
      ctx.reply("awake")
    },
  })

test("interrupt ends the run under way, cancels its message, and the agent goes on", async () => {
  const harness = await harnessOf({ entities: [sleeper()] })
  await harness.spawn("/sleeper/a")
  const asked = harness.ask("/sleeper/a", "sleep")
  await harness.until(async () => harness.server.activeWakes === 1, "running")
  expect((await harness.call("POST", "/v1/entities/sleeper/a/signals", { signal: "interrupt" })).status).toBe(202)
  expect((await asked).status).toBe("cancelled")
  expect(await harness.ask("/sleeper/a", "hello")).toMatchObject({ status: "processed", reply: "awake" })
})

test("an interrupting message aborts the run and is answered next", async () => {
  const harness = await harnessOf({ entities: [sleeper()] })
  await harness.spawn("/sleeper/b")
  const asked = harness.ask("/sleeper/b", "sleep")
  await harness.until(async () => harness.server.activeWakes === 1, "running")
  const { body } = await harness.call<Settled>("POST", "/v1/entities/sleeper/b/messages?wait=20s", {
    content: "now",
    mode: "interrupt",
  })
  expect(body).toMatchObject({ status: "processed", reply: "awake" })
  expect((await asked).status).toBe("cancelled")
})

test("kill stops an agent for good, cancels what waited, and its log stays readable", async () => {
  const harness = await harnessOf({ entities: [sleeper()] })
  await harness.spawn("/sleeper/c")
  const asked = harness.ask("/sleeper/c", "sleep")
  await harness.until(async () => harness.server.activeWakes === 1, "running")
  const waiting = harness.ask("/sleeper/c", "later")
  await harness.until(async () => (await harness.rows("/sleeper/c", "message")).length === 2, "two messages")
  await harness.call("POST", "/v1/entities/sleeper/c/signals", { signal: "kill" })
  expect((await asked).status).toBe("cancelled")
  expect((await waiting).status).toBe("cancelled")
  expect(await statusOf(harness, "/sleeper/c")).toBe("stopped")
  expect(await harness.call("POST", "/v1/entities/sleeper/c/messages", { content: "x" })).toMatchObject({
    status: 409,
    body: { code: "STOPPED" },
  })
  expect((await harness.log("/sleeper/c")).length).toBeGreaterThan(5)
})

test("pause holds messages back, resume lets them go", async () => {
  const harness = await harnessOf({ entities: [sleeper()] })
  await harness.spawn("/sleeper/d")
  await harness.call("POST", "/v1/entities/sleeper/d/signals", { signal: "pause" })
  const settled = await harness.ask("/sleeper/d", "hello", "wait=50ms")
  expect(settled.status).toBe("accepted")
  expect(await statusOf(harness, "/sleeper/d")).toBe("paused")
  await harness.call("POST", "/v1/entities/sleeper/d/signals", { signal: "resume" })
  await harness.until(async () => (await statusOf(harness, "/sleeper/d")) === "idle", "idle")
  expect((await harness.rows<MessageRow>("/sleeper/d", "message"))[0]?.value.status).toBe("processed")
})

test("a custom signal is delivered to the handler", async () => {
  const listener = defineEntity("listener", {
    handler(ctx, wake) {
      ctx.reply(wake.signals.map((signal) => `${signal.name}:${JSON.stringify(signal.payload)}`).join())
    },
  })
  const harness = await harnessOf({ entities: [listener] })
  await harness.spawn("/listener/a")
  await harness.call("POST", "/v1/entities/listener/a/signals", { signal: "reload", payload: { deep: true } })
  await harness.until(async () => (await harness.rows<RunRow>("/listener/a", "run")).length === 1, "a run")
  expect((await harness.rows<RunRow>("/listener/a", "run"))[0]?.value.reply).toBe('reload:{"deep":true}')
})

test("a parent sleeps while its children work, and is woken when each ends", async () => {
  const child = defineEntity("child", {
    handler: (ctx, wake) => ctx.reply(`${String(wake.messages[0]?.content)} done`),
  })
  const parent = defineEntity("parent", {
    handler(ctx, wake) {
      if (wake.first)
        for (const name of ["x", "y", "z"]) ctx.spawn("child", `${ctx.entity.id}-${name}`, {}, { message: name })
      const done = ctx.children.filter((row) => row.status === "completed")
      if (done.length < 3) return ctx.suspend()
      ctx.reply(
        done
          .map((row) => String(row.reply))
          .sort()
          .join(", "),
      )
    },
  })
  const harness = await harnessOf({ entities: [parent, child] })
  await harness.spawn("/parent/a")
  expect(await harness.ask("/parent/a", "go")).toMatchObject({ status: "processed", reply: "x done, y done, z done" })
  const children = await harness.rows<ChildRow>("/parent/a", "child")
  expect(children.map((row) => row.value.status)).toEqual(["completed", "completed", "completed"])
  expect((await harness.rows<RunRow>("/parent/a", "run")).map((row) => row.value.status)).toEqual(["completed"])
})

test("a child that dies tells its parent", async () => {
  const doomed = defineEntity("doomed", {
    attempts: 1,
    handler() {
      throw new Error("doomed")
    },
  })
  const mourner = defineEntity("mourner", {
    handler(ctx, wake) {
      if (wake.first) ctx.spawn("doomed", `${ctx.entity.id}-child`, {}, { message: "go" })
      const finished = wake.childFinished[0]
      if (!finished) return ctx.suspend()
      ctx.reply(`${finished.outcome}: ${finished.error}`)
    },
  })
  const harness = await harnessOf({ entities: [doomed, mourner] })
  await harness.spawn("/mourner/a")
  expect((await harness.ask("/mourner/a", "go")).reply).toBe("failed: doomed")
})

test("with room for one wake at a time, everybody has a turn", async () => {
  const turn = defineEntity("turn", { handler: (ctx) => ctx.reply(ctx.entity.id) })
  const harness = await harnessOf({ entities: [turn], limits: { wakesMax: 1 } })
  const ids = Array.from({ length: 30 }, (_, i) => `n${i}`)
  await Promise.all(ids.map((id) => harness.spawn(`/turn/${id}`)))
  const settled = await Promise.all(ids.map((id) => harness.ask(`/turn/${id}`, "go")))
  expect(settled.map((one) => one.reply)).toEqual(ids)
})

function careful(): EntityDefinition {
  const wire = tool({
    name: "wire",
    description: "Moves money",
    input: z.object({}),
    effect: "once",
    approval: true,
    execute: () => "moved",
  })
  return defineEntity("careful", {
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "Be careful.", model: "rouse/echo", tools: [wire] })
      await ctx.agent.run()
    },
  })
}

test("a message that interrupts a suspended run takes back what a person was asked", async () => {
  const harness = await harnessOf({ entities: [careful()] })
  await harness.spawn("/careful/b")
  const asked = harness.ask("/careful/b", "/call wire")
  await harness.until(async () => (await statusOf(harness, "/careful/b")) === "suspended", "suspended")
  const { body } = await harness.call<Settled>("POST", "/v1/entities/careful/b/messages?wait=20s", {
    content: "never mind",
    mode: "interrupt",
  })
  expect(body.status).toBe("processed")
  expect((await asked).status).toBe("cancelled")
  const [approval] = await harness.rows<ApprovalRow>("/careful/b", "approval")
  expect(approval?.value.status).toBe("cancelled")
})

test.each(["interrupt", "kill"])("%s of a suspended run leaves no call of it open", async (name) => {
  const harness = await harnessOf({ entities: [careful()] })
  await harness.spawn("/careful/a")
  const asked = harness.ask("/careful/a", "/call wire")
  await harness.until(async () => (await statusOf(harness, "/careful/a")) === "suspended", "suspended")
  await harness.call("POST", "/v1/entities/careful/a/signals", { signal: name })
  expect((await asked).status).toBe("cancelled")
  const [call] = await harness.rows<ToolCallRow>("/careful/a", "tool_call")
  expect(call?.value).toMatchObject({ status: "cancelled", endedAt: expect.any(String) as string })
})

test("a delayed message to an agent that was stopped meanwhile comes to an end on its log", async () => {
  const harness = await harnessOf({ entities: [sleeper()] })
  await harness.spawn("/sleeper/late")
  await harness.call("POST", "/v1/entities/sleeper/late/messages", { content: "too late", afterMs: 30 })
  await harness.call("POST", "/v1/entities/sleeper/late/signals", { signal: "kill" })
  await harness.until(async () => (await harness.rows("/sleeper/late", "message")).length === 1, "the message's end")
  const [row] = await harness.rows<MessageRow>("/sleeper/late", "message")
  expect(row?.value).toMatchObject({ content: "too late", status: "cancelled" })
  expect(row?.value.reason).toMatch(/stopped/)
})
