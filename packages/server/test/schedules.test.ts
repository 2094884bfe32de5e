import { defineEntity } from "@rouse/agents"
import type { MessageRow, ScheduleInfo } from "@rouse/protocol"
import type { Store } from "@rouse/store"
import { afterEach, expect, test } from "vitest"
import { Harness, type HarnessOptions, type Refusal } from "./harness.ts"
import { openTestStore } from "./support/test-store.ts"

const MINUTE = 60_000
const open: Harness[] = []
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.close()
})

/** A server whose clock can be moved. */
async function movable(options: Partial<HarnessOptions> = {}): Promise<{
  readonly harness: Harness
  readonly pass: (ms: number) => void
}> {
  let skewMs = 0
  const entities = options.entities ?? [listener()]
  const harness = await Harness.open({ ...options, entities, clock: () => Date.now() + skewMs })
  open.push(harness)
  return {
    harness,
    pass: (ms) => {
      skewMs += ms
      harness.server.replaceEntities(entities)
    },
  }
}

function listener(): ReturnType<typeof defineEntity> {
  return defineEntity("listener", { handler: (ctx) => ctx.reply("heard") })
}

const SCHEDULES = "/v1/entities/listener/a/schedules"

async function heard(harness: Harness, url = "/listener/a"): Promise<readonly MessageRow[]> {
  return (await harness.rows<MessageRow>(url, "message")).map((row) => row.value)
}

async function scheduled(harness: Harness): Promise<readonly ScheduleInfo[]> {
  return (await harness.call<{ schedules: ScheduleInfo[] }>("GET", SCHEDULES)).body.schedules
}

async function untilHeard(harness: Harness, count: number): Promise<void> {
  await harness.until(
    async () => (await heard(harness)).filter((row) => row.status === "processed").length >= count,
    `${count} messages heard`,
  )
}

test("a schedule sends its message each time that it comes due, and says when it will next", async () => {
  const { harness, pass } = await movable()
  await harness.spawn("/listener/a")
  const made = await harness.call<ScheduleInfo>("POST", SCHEDULES, { name: "tick", every: MINUTE, message: "tick" })
  expect(made).toMatchObject({ status: 200, body: { name: "tick", rule: { every: MINUTE }, catchUp: "once" } })
  pass(MINUTE)
  await untilHeard(harness, 1)
  pass(MINUTE)
  await untilHeard(harness, 2)
  const [first, second] = await heard(harness)
  expect(first).toMatchObject({
    content: "tick",
    from: { kind: "schedule", id: "tick" },
    schedule: { name: "tick", dueAt: made.body.dueAt },
  })
  expect(Date.parse(second?.schedule?.dueAt ?? "") - Date.parse(made.body.dueAt)).toBe(MINUTE)
  const [row] = await scheduled(harness)
  expect(Date.parse(row?.dueAt ?? "") - Date.parse(made.body.dueAt)).toBe(2 * MINUTE)
  expect(row?.firedAt).toBeDefined()
})

test("a message, the next occurrence and the row are one commit", async () => {
  const { harness, pass } = await movable()
  await harness.spawn("/listener/a")
  await harness.call("POST", SCHEDULES, { name: "tick", every: MINUTE, message: 1 })
  const commits: string[][] = []
  const { store } = harness
  const commit = store.commit.bind(store)
  store.commit = async (request) => {
    commits.push(request.ops.map((op) => ("collection" in op ? `${op.op} ${op.collection}` : op.op)))
    return commit(request)
  }
  pass(MINUTE)
  await untilHeard(harness, 1)
  const firing = commits.filter((ops) => ops.includes("putTimer"))
  expect(firing).toHaveLength(1)
  expect(firing[0]).toEqual(expect.arrayContaining(["append", "putRow message", "putRow schedule", "putTimer"]))
})

test("the field's failure, a cron deleted and made again with the same expression never fires: here it fires", async () => {
  const { harness, pass } = await movable()
  await harness.spawn("/listener/a")
  const body = { name: "hourly", cron: "0 * * * *", message: "again" }
  await harness.call("POST", SCHEDULES, body)
  expect((await harness.call("DELETE", `${SCHEDULES}/hourly`)).status).toBe(204)
  expect(await scheduled(harness)).toEqual([])
  await harness.call("POST", SCHEDULES, body)
  pass(60 * MINUTE)
  await untilHeard(harness, 1)
  await harness.call("DELETE", `${SCHEDULES}/hourly`)
  await harness.call("POST", SCHEDULES, body)
  pass(60 * MINUTE)
  await untilHeard(harness, 2)
})

test("a deleted schedule does not fire, and deleting what is not there is said", async () => {
  const { harness, pass } = await movable()
  await harness.spawn("/listener/a")
  await harness.call("POST", SCHEDULES, { name: "tick", every: MINUTE, message: 1 })
  const key = { "idempotency-key": "once" }
  expect((await harness.call("DELETE", `${SCHEDULES}/tick`, undefined, key)).status).toBe(204)
  expect((await harness.call("DELETE", `${SCHEDULES}/tick`, undefined, key)).status).toBe(204)
  expect(await harness.call("DELETE", `${SCHEDULES}/tick`)).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } })
  pass(10 * MINUTE)
  await harness.ask("/listener/a", "still there")
  expect(await heard(harness)).toHaveLength(1)
  expect(await harness.store.dueTimers(Number.MAX_SAFE_INTEGER, 10)).toEqual([])
})

test("the same definition again leaves a schedule as it is; another one replaces it", async () => {
  const { harness, pass } = await movable()
  await harness.spawn("/listener/a")
  const set = (every: number): Promise<{ body: ScheduleInfo }> =>
    harness.call<ScheduleInfo>("POST", SCHEDULES, { name: "tick", every, message: 1 })
  const made = await set(MINUTE)
  pass(MINUTE / 2)
  expect((await set(MINUTE)).body).toEqual(made.body)
  expect(Date.parse((await set(5 * MINUTE)).body.dueAt)).toBeGreaterThan(Date.parse(made.body.dueAt))
  expect(await harness.store.dueTimers(Number.MAX_SAFE_INTEGER, 10)).toHaveLength(1)
})

test("a message that was sent for later is listed, and can be taken back", async () => {
  const { harness, pass } = await movable()
  await harness.spawn("/listener/a")
  const { body } = await harness.call<{ message: string }>("POST", "/v1/entities/listener/a/messages", {
    content: "later",
    afterMs: MINUTE,
  })
  expect(await scheduled(harness)).toMatchObject([{ name: body.message, content: "later" }])
  expect((await harness.call("DELETE", `${SCHEDULES}/${body.message}`)).status).toBe(204)
  pass(2 * MINUTE)
  await harness.ask("/listener/a", "now")
  expect((await heard(harness)).map((row) => row.content)).toEqual(["now"])
})

test.each([
  ["skip", 0],
  ["once", 1],
  ["all", 5],
] as const)("what was missed while everything was down: %s sends %i", async (catchUp, count) => {
  const store = await openTestStore({ clock: Date.now })
  const before = await Harness.open({ entities: [listener()], store })
  await before.spawn("/listener/a")
  await before.call("POST", SCHEDULES, { name: "tick", every: 10 * MINUTE, message: 1, catchUp })
  await before.stop()
  const after = await Harness.open({ entities: [listener()], store, clock: () => Date.now() + 55 * MINUTE })
  open.push(after)
  await after.until(
    async () => (await scheduled(after)).every((row) => Date.parse(row.dueAt) > Date.now() + 55 * MINUTE),
    "armed",
  )
  expect(await heard(after)).toHaveLength(count)
})

test.each([
  [{ name: "x", cron: "61 * * * *", message: 1 }, /^cron: /],
  [{ name: "x", cron: "* * * * *", timezone: "Nowhere/Land", message: 1 }, /^timezone: /],
  [{ name: "x", at: "2020-01-01T00:00:00Z", message: 1 }, /^at: .*in the past/],
  [{ name: "x", every: 10, message: 1 }, /^every: /],
  [{ name: "x", message: 1 }, /^cron, every, at: /],
  [{ name: "a/b", every: MINUTE, message: 1 }, /^name: /],
  [{ name: "x", every: MINUTE }, /^message: /],
  [{ name: "x", every: MINUTE, message: 1, catchUp: "some" }, /^catchUp: /],
  [{ name: "x", every: MINUTE, message: 1, evry: 1 }, /evry/],
])("%j is refused, and nothing is written", async (body, detail) => {
  const { harness } = await movable()
  await harness.spawn("/listener/a")
  const log = await harness.log("/listener/a")
  const refusal: Refusal = await harness.call("POST", SCHEDULES, body)
  expect(refusal).toMatchObject({ status: 422, body: { code: "INVALID_ARGS" } })
  expect(refusal.body.detail).toMatch(detail)
  expect(await harness.log("/listener/a")).toEqual(log)
  expect(await scheduled(harness)).toEqual([])
})

test("stopping an entity ends its schedules, purging leaves no timer, and a stopped one takes none", async () => {
  const { harness } = await movable()
  for (const id of ["a", "b"]) {
    await harness.spawn(`/listener/${id}`)
    await harness.call("POST", `/v1/entities/listener/${id}/schedules`, { name: "tick", every: MINUTE, message: 1 })
  }
  await harness.call("DELETE", "/v1/entities/listener/a")
  await harness.call("DELETE", "/v1/entities/listener/b?purge=true")
  expect(await scheduled(harness)).toEqual([])
  expect(await harness.store.dueTimers(Number.MAX_SAFE_INTEGER, 10)).toEqual([])
  expect(await harness.call("POST", SCHEDULES, { name: "t", every: MINUTE, message: 1 })).toMatchObject({ status: 409 })
})

test("a paused entity's schedules hold their messages until it goes on", async () => {
  const { harness, pass } = await movable()
  await harness.spawn("/listener/a")
  await harness.call("POST", SCHEDULES, { name: "tick", every: MINUTE, message: 1 })
  await harness.call("POST", "/v1/entities/listener/a/signals", { signal: "pause" })
  pass(MINUTE)
  await harness.until(async () => (await heard(harness)).length === 1, "it came due")
  expect((await heard(harness))[0]?.status).toBe("accepted")
  await harness.call("POST", "/v1/entities/listener/a/signals", { signal: "resume" })
  await untilHeard(harness, 1)
})

test("a full inbox passes a schedule's occurrence over, keeps a message that was sent for later, and stops no other timer", async () => {
  const { harness, pass } = await movable({ limits: { pendingMax: 1 } })
  await harness.spawn("/listener/a")
  await harness.spawn("/listener/b")
  await harness.call("POST", SCHEDULES, { name: "tick", every: MINUTE, message: "tick" })
  const later = { content: "later", afterMs: MINUTE }
  for (const id of ["a", "b"]) await harness.call("POST", `/v1/entities/listener/${id}/messages`, later)
  await harness.call("POST", "/v1/entities/listener/a/signals", { signal: "pause" })
  await harness.call("POST", "/v1/entities/listener/a/messages", { content: "fills it" })
  pass(MINUTE)
  await harness.until(async () => (await heard(harness, "/listener/b")).length === 1, "the other timer fired")
  expect(await heard(harness)).toHaveLength(1)
  await harness.call("POST", "/v1/entities/listener/a/signals", { signal: "resume" })
  await untilHeard(harness, 1)
  pass(2_000)
  await untilHeard(harness, 2)
  expect((await heard(harness)).map((row) => row.content)).toEqual(["fills it", "later"])
})

test("a handler's schedules are made once however often it is tried, and can be removed by name", async () => {
  let fail = true
  const planner = defineEntity("listener", {
    async handler(ctx, wake) {
      if (wake.messages[0]?.content === "plan") {
        ctx.schedule("daily", { cron: "0 9 * * *", timezone: "Europe/Berlin" }, { task: "report" }, { catchUp: "skip" })
        ctx.schedule("soon", { every: MINUTE }, "soon")
        await ctx.commit()
        if (fail) {
          fail = false
          throw new Error("after the commit")
        }
      } else if (wake.messages[0]?.content === "stop") ctx.unschedule("soon")
      ctx.reply(wake.reasons.map((reason) => reason.kind))
    },
  })
  const { harness, pass } = await movable({ entities: [planner] })
  await harness.spawn("/listener/a")
  await harness.ask("/listener/a", "plan")
  const events = (await harness.log("/listener/a")).filter((event) => event.type === "schedule")
  expect(events.map((event) => `${event.headers.operation} ${event.key}`)).toEqual(["insert daily", "insert soon"])
  expect(events[0]?.value).toMatchObject({ catchUp: "skip" })
  pass(MINUTE)
  await untilHeard(harness, 2)
  const runs = await harness.rows<{ reply: string[] }>("/listener/a", "run")
  expect(runs.at(-1)?.value.reply).toEqual(["schedule"])
  await harness.ask("/listener/a", "stop")
  expect((await scheduled(harness)).map((row) => row.name)).toEqual(["daily"])
})

test("a handler's bad rule names the field, and a removal and a new schedule of one name in one wake leave the new one", async () => {
  const planner = defineEntity("listener", {
    handler(ctx) {
      ctx.schedule("tick", { every: MINUTE }, 1)
      ctx.unschedule("tick")
      ctx.schedule("tick", { every: MINUTE }, 2)
      try {
        ctx.schedule("bad", { cron: "nope" }, 1)
      } catch (error) {
        ctx.reply(String(error))
      }
    },
  })
  const { harness } = await movable({ entities: [planner] })
  await harness.spawn("/listener/a")
  expect((await harness.ask("/listener/a", "go")).reply).toMatch(/cron: "nope" cannot be read/)
  expect(await scheduled(harness)).toMatchObject([{ name: "tick", content: 2 }])
})

test("100,000 armed timers: only those that are due are read", async () => {
  const { harness, pass } = await movable()
  await harness.spawn("/listener/a")
  await harness.call("POST", SCHEDULES, { name: "tick", every: MINUTE, message: 1 })
  await armMany(harness.store, 100_000)
  let read = 0
  const { store } = harness
  const dueTimers = store.dueTimers.bind(store)
  store.dueTimers = async (nowMs, limit) => {
    const timers = await dueTimers(nowMs, limit)
    read += timers.length
    return timers
  }
  pass(MINUTE)
  await untilHeard(harness, 1)
  expect(read).toBeLessThanOrEqual(2)
})

async function armMany(store: Store, count: number): Promise<void> {
  const dueAtMs = Date.now() + 365 * 86_400_000
  for (let start = 0; start < count; start += 10_000) {
    const ops = Array.from({ length: 10_000 }, (_, index) => {
      const payload = { kind: "schedule", name: `t${start + index}` }
      return { op: "putTimer", timer: { id: `far:${start + index}`, dueAtMs, url: "/listener/a", payload } } as const
    })
    await store.commit({ ops })
  }
}
