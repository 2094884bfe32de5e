import { defineEntity } from "@rouse/agents"
import type { ChildRow, EntityDetail, MessageRow, RunRow } from "@rouse/protocol"
import { afterEach, expect, test } from "vitest"
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

/** Ends when it is interrupted, and not before. */
function waiter(onRun: (id: string) => void = () => undefined): ReturnType<typeof defineEntity> {
  return defineEntity("waiter", {
    async handler(ctx, wake) {
      if (wake.messages.length === 0) return ctx.reply("woken for nothing")
      onRun(ctx.entity.id)
      await new Promise((_, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason as Error)))
    },
  })
}

async function statusOf(harness: Harness, url: string): Promise<string> {
  return (await harness.call<EntityDetail>("GET", `/v1/entities${url}`)).body.status
}

async function runsOf(harness: Harness, url: string): Promise<readonly RunRow[]> {
  return (await harness.rows<RunRow>(url, "run")).map((row) => row.value)
}

const send = (harness: Harness, url: string, name: string, payload?: unknown): Promise<{ status: number }> =>
  harness.call("POST", `/v1/entities${url}/signals`, { signal: name, payload })

/** A root, `wide` children, and one grandchild below each. Returns all addresses but the root's. */
async function tree(harness: Harness, wide: number): Promise<readonly string[]> {
  await harness.spawn("/waiter/root", { message: "go" })
  const urls = Array.from({ length: wide }, (_, n) => [`/waiter/c${n}`, `/waiter/g${n}`] as const)
  await Promise.all(urls.map(([child]) => harness.spawn(child, { parent: "/waiter/root", message: "go" })))
  await Promise.all(urls.map(([child, below]) => harness.spawn(below, { parent: child, message: "go" })))
  return urls.flat()
}

const all = async (
  harness: Harness,
  urls: readonly string[],
  check: (url: string) => Promise<boolean>,
  what: string,
): Promise<void> => harness.until(async () => (await Promise.all(urls.map(check))).every(Boolean), what)

test("an interrupt with tree ends the runs of the children too, says so, and rouses nobody again", async () => {
  let started = 0
  const harness = await harnessOf({ entities: [waiter(() => (started += 1))] })
  const below = await tree(harness, 70)
  const urls = ["/waiter/root", ...below]
  await harness.until(async () => started === urls.length, "all run")
  expect((await send(harness, "/waiter/root", "interrupt", { tree: true })).status).toBe(202)
  await all(harness, urls, async (url) => (await statusOf(harness, url)) === "idle", "all idle")
  for (const url of urls) {
    const runs = await runsOf(harness, url)
    expect(runs.map((run) => run.status)).toEqual(["interrupted"])
    const [message] = await harness.rows<MessageRow>(url, "message")
    const parent = url.startsWith("/waiter/g") ? url.replace("g", "c") : "/waiter/root"
    const reason =
      url === "/waiter/root"
        ? "the run was interrupted by a signal"
        : `the run was interrupted with its parent ${parent}`
    expect(message?.value).toMatchObject({ status: "cancelled", reason })
    expect(await harness.rows(url, "message")).toHaveLength(1)
  }
  const children = await harness.rows<ChildRow>("/waiter/root", "child")
  expect(new Set(children.map((row) => row.value.status))).toEqual(new Set(["interrupted"]))
  expect(await harness.store.dueTimers(Number.MAX_SAFE_INTEGER, 10)).toEqual([])
})

test("an interrupt without tree leaves the children alone", async () => {
  const harness = await harnessOf({ entities: [waiter()] })
  const below = await tree(harness, 1)
  await all(harness, below, async (url) => (await statusOf(harness, url)) === "running", "all run")
  await send(harness, "/waiter/root", "interrupt")
  await harness.until(async () => (await statusOf(harness, "/waiter/root")) === "idle", "idle")
  for (const url of below) expect(await statusOf(harness, url)).toBe("running")
})

test("pause and resume hold a tree and let it go on; the last word is kept, also when both are on their way down", async () => {
  const answering = defineEntity("waiter", { handler: (ctx) => ctx.reply("done") })
  const harness = await harnessOf({ entities: [answering] })
  const below = await tree(harness, 3)
  await all(harness, below, async (url) => (await statusOf(harness, url)) === "idle", "all idle")
  await send(harness, "/waiter/root", "pause", { tree: true })
  await all(harness, below, async (url) => (await statusOf(harness, url)) === "paused", "all paused")
  await send(harness, "/waiter/root", "resume", { tree: true })
  await all(harness, below, async (url) => (await statusOf(harness, url)) === "idle", "all idle again")
  for (let round = 0; round < 5; round++) {
    await send(harness, "/waiter/root", "pause", { tree: true })
    await send(harness, "/waiter/root", "resume", { tree: true })
    await harness.until(
      async () => (await harness.store.dueTimers(Number.MAX_SAFE_INTEGER, 9)).length === 0,
      "all told",
    )
    for (const url of below) expect(await statusOf(harness, url)).toBe("idle")
  }
})

test("kill with tree stops every entity below, past one that was stopped before", async () => {
  const harness = await harnessOf({ entities: [waiter()] })
  const below = await tree(harness, 2)
  await send(harness, "/waiter/c0", "kill")
  expect(await statusOf(harness, "/waiter/g0")).not.toBe("stopped")
  await send(harness, "/waiter/root", "kill", { tree: true })
  await all(harness, below, async (url) => (await statusOf(harness, url)) === "stopped", "all stopped")
  expect((await harness.call<EntityDetail>("GET", "/v1/entities/waiter/g0")).body.reason).toBe(
    "stopped with its parent /waiter/c0",
  )
})

test("a signal on its way down survives the server: what was not reached is reached by the next one", async () => {
  const store = await openTestStore({ clock: Date.now })
  const answering = defineEntity("waiter", { handler: (ctx) => ctx.reply("done") })
  const first = await Harness.open({ entities: [answering], store })
  const below = await tree(first, 2)
  await all(first, below, async (url) => (await statusOf(first, url)) === "idle", "all idle")
  const dueTimers = store.dueTimers.bind(store)
  store.dueTimers = async () => []
  await send(first, "/waiter/root", "kill", { tree: true })
  await first.stop()
  store.dueTimers = dueTimers
  const second = await harnessOf({ entities: [answering], store })
  await all(second, below, async (url) => (await statusOf(second, url)) === "stopped", "all stopped")
})

test("a handler that ignores an interrupt loses its run within the grace time, with one terminal event", async () => {
  let runs = 0
  const deaf = defineEntity("deaf", {
    async handler() {
      runs += 1
      await new Promise(() => undefined)
    },
  })
  const harness = await harnessOf({ entities: [deaf], limits: { graceMs: 50 } })
  await harness.spawn("/deaf/a")
  const asked = harness.ask("/deaf/a", "go")
  await harness.until(async () => runs === 1, "it runs")
  await send(harness, "/deaf/a", "interrupt")
  expect(await asked).toMatchObject({ status: "cancelled", reason: "the run was interrupted by a signal" })
  await harness.until(async () => (await statusOf(harness, "/deaf/a")) === "idle", "idle")
  expect(runs).toBe(1)
  expect((await runsOf(harness, "/deaf/a")).map((run) => run.status)).toEqual(["interrupted"])
  expect(await terminals(harness, "/deaf/a")).toEqual(["cancelled"])
})

/** What the log says of messages that came to their end. */
async function terminals(harness: Harness, url: string): Promise<readonly string[]> {
  const events = (await harness.log(url)).filter((event) => event.type === "message")
  return events
    .map((event) => (event.value as unknown as MessageRow).status)
    .filter((status) => status !== "accepted" && status !== "taken")
}

/** A handler that ends by itself after a moment, and a signal that comes about then. */
async function race(name: string): Promise<void> {
  const busy = defineEntity("busy", {
    async handler(ctx) {
      await ctx.commit()
      await new Promise((resolve) => setTimeout(resolve, 3))
      ctx.reply("finished")
    },
  })
  const harness = await harnessOf({ entities: [busy] })
  await Promise.all(
    Array.from({ length: 24 }, async (_, n) => {
      const url = `/busy/r${n}`
      await harness.spawn(url)
      const asked = harness.ask(url, "go")
      await new Promise((resolve) => setTimeout(resolve, n % 12))
      await send(harness, url, name)
      const settled = await asked
      expect(["processed", "cancelled"]).toContain(settled.status)
      expect(await terminals(harness, url)).toEqual([settled.status])
      const runs = (await runsOf(harness, url)).filter((run) => run.status !== "running")
      expect(runs.length).toBeLessThanOrEqual(1)
      if (settled.status === "processed") expect(settled.reply).toBe("finished")
      await harness.until(async () => ["idle", "stopped"].includes(await statusOf(harness, url)), "at rest")
      expect(await harness.rows(url, "message")).toHaveLength(1)
    }),
  )
}

test("an interrupt that races a finish ends the run once, one way or the other", () => race("interrupt"))

test("a kill that races a finish ends the run once, one way or the other", () => race("kill"))

test("a resume that races a pause leaves nothing pending at rest", async () => {
  const answering = defineEntity("busy", { handler: (ctx) => ctx.reply("done") })
  const harness = await harnessOf({ entities: [answering] })
  await Promise.all(
    Array.from({ length: 20 }, async (_, n) => {
      const url = `/busy/p${n}`
      await harness.spawn(url)
      const signals = Array.from({ length: 6 }, (__, i) => send(harness, url, (i + n) % 2 === 0 ? "pause" : "resume"))
      const asked = harness.ask(url, "go")
      await Promise.all(signals)
      await send(harness, url, "resume")
      expect(await asked).toMatchObject({ status: "processed" })
    }),
  )
})

test("an interrupt that was accepted is not forgotten by a crash before the handler heard of it", async () => {
  const store = await openTestStore({ clock: Date.now })
  let runs = 0
  const deaf = defineEntity("deaf", {
    async handler(ctx) {
      runs += 1
      await ctx.commit()
      await new Promise(() => undefined)
    },
  })
  const first = await Harness.open({ entities: [deaf], store, limits: { graceMs: 60_000 } })
  await first.spawn("/deaf/a", { message: "go" })
  await first.until(async () => (await first.rows("/deaf/a", "run")).length === 1, "it runs")
  const dead = first.server
  await send(first, "/deaf/a", "interrupt")
  const second = await harnessOf({ entities: [deaf], store })
  await second.until(async () => (await statusOf(second, "/deaf/a")) === "idle", "idle")
  expect(runs).toBe(1)
  expect(await terminals(second, "/deaf/a")).toEqual(["cancelled"])
  await dead.close({ graceMs: 10 })
})
