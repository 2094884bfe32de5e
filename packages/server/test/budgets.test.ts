import { defineEntity, tool, type Tool } from "@rouse/agents"
import { scriptedModel, type Script } from "@rouse/agents/testing"
import type {
  ApprovalRow,
  BudgetRequest,
  BudgetRow,
  EntityDetail,
  MessageRow,
  StepRow,
  UsageReport,
} from "@rouse/protocol"
import type { Commit, CommitResult, Store } from "@rouse/store"
import { afterEach, expect, test } from "vitest"
import { z } from "zod"
import { Harness } from "./harness.ts"
import { openTestStore } from "./support/test-store.ts"

const PRICE = { input: 1_000, output: 1_000 }

let open: Harness[] = []
afterEach(async () => {
  await Promise.all(open.map((one) => one.close()))
  open = []
})

async function harness(options: Parameters<typeof Harness.open>[0]): Promise<Harness> {
  const made = await Harness.open(options)
  open.push(made)
  return made
}

/**
 * An agent whose every model call uses 15 tokens. Held for are its prompt and ten of output; its tools are part of the prompt, so it has the
 * platform's only where it is to send: their wording is to change no sum here.
 */
function agent(name: string, script: Script, more: object = {}, tools: "none" | "platform" | Tool = "none") {
  return defineEntity(name, {
    ...more,
    async handler(ctx) {
      ctx.useAgent({
        systemPrompt: "Work.",
        model: scriptedModel(script),
        tools: tools === "none" ? [] : tools === "platform" ? ctx.tools : [tools],
        maxOutputTokens: 10,
        price: PRICE,
      })
      await ctx.agent.run()
    },
  })
}

function sender(name: string, script: Script) {
  return agent(name, script, {}, "platform")
}

async function waiting(server: Harness, url: string): Promise<ApprovalRow> {
  let found: ApprovalRow | undefined
  await server.until(async () => {
    found = (await server.rows<ApprovalRow>(url, "approval"))
      .map((row) => row.value)
      .find((row) => row.status === "waiting")
    return found !== undefined
  }, `${url} asks`)
  return found as ApprovalRow
}

async function detail(server: Harness, url: string): Promise<EntityDetail> {
  return (await server.call<EntityDetail>("GET", `/v1/entities${url}`)).body
}

test("used up, it asks; an answer lets it go on exactly where it was", async () => {
  const script: Script = [{ calls: [{ tool: "send", input: { to: "/worker/a", content: "note" } }] }, "All done."]
  const server = await harness({ entities: [sender("worker", script)] })
  await server.spawn("/worker/a")
  await server.spawn("/worker/one", { budget: { steps: 1, usd: 1_000 } })
  const asked = server.ask("/worker/one", "go")
  const approval = await waiting(server, "/worker/one")
  expect(approval).toMatchObject({ kind: "budget", tool: "budget", call: "r000001-s0002-b1" })
  expect(approval.input).toMatchObject({
    exhausted: ["steps"],
    spent: { steps: 1, toolCalls: 1 },
    extend: { steps: 1 },
  })
  await server.until(async () => (await detail(server, "/worker/one")).status === "suspended", "it is suspended")
  const answer = await server.call("POST", `/v1/entities/worker/one/approvals/${approval.call}`, {
    decision: "allow",
    extend: { steps: 3 },
  })
  expect(answer.status).toBe(202)
  expect(await asked).toMatchObject({ status: "processed", reply: "All done." })
  const steps = await server.rows<StepRow>("/worker/one", "step")
  expect(steps.map((row) => row.key)).toEqual(["r000001-s0001", "r000001-s0002"])
  expect((await detail(server, "/worker/one")).budget).toMatchObject({ limits: { steps: 4 }, spent: { steps: 2 } })
})

test("the first call is refused too, and an answer without amounts adds as much again", async () => {
  const server = await harness({ entities: [agent("worker", ["Hello."], { budget: { tokens: 12 } })] })
  await server.spawn("/worker/one")
  const asked = server.ask("/worker/one", "go")
  const approval = await waiting(server, "/worker/one")
  const { needs, extend } = approval.input as unknown as BudgetRequest
  expect(extend.tokens).toBe(Math.max(12, needs.tokens - 12))
  await server.call("POST", `/v1/entities/worker/one/approvals/${approval.call}`, { decision: "allow" })
  expect(await asked).toMatchObject({ status: "processed", reply: "Hello." })
  expect((await server.rows<MessageRow>("/worker/one", "message")).map((row) => row.value.status)).toEqual([
    "processed",
    "processed",
  ])
})

test("a stop ends the run and says why; the message can be retried", async () => {
  const server = await harness({ entities: [agent("worker", ["Hello."], { budget: { steps: 0 } })] })
  await server.spawn("/worker/one")
  const asked = server.ask("/worker/one", "go")
  const { call } = await waiting(server, "/worker/one")
  await server.call("POST", `/v1/entities/worker/one/approvals/${call}`, { decision: "deny", note: "too dear" })
  const settled = await asked
  expect(settled.status).toBe("dead")
  expect(settled.reason).toMatch(/budget is used up.*too dear/)
})

test("the log warns at the part that was set, once", async () => {
  const script: Script = (_, answers) =>
    answers < 3 ? { calls: [{ tool: "send", input: { to: "/sink/a", content: "x" } }] } : "ok"
  const server = await harness({ entities: [sender("worker", script), agent("sink", () => "ok")] })
  await server.spawn("/sink/a")
  await server.spawn("/worker/one", { budget: { steps: 4, warnAt: 0.5 } })
  await server.ask("/worker/one", "go")
  const rows = (await server.log("/worker/one")).filter((event) => event.type === "budget")
  expect(rows.map((event) => (event.value as unknown as BudgetRow).status)).toEqual(["open", "warned"])
  expect(rows[1]?.value).toMatchObject({ resources: ["steps"], spent: { steps: 2 } })
})

test("a tree of children shares a budget, and what they leave returns", async () => {
  const parent = defineEntity("parent", {
    handler(ctx, wake) {
      if (wake.childFinished.length > 0) return ctx.reply("heard")
      for (const id of ["a", "b"]) ctx.spawn("kid", id, {}, { message: "go", budget: { usd: 4 } })
      ctx.spawn("kid", "c", {}, { message: "go" })
      return undefined
    },
  })
  const server = await harness({ entities: [parent, agent("kid", () => "ok")] })
  await server.spawn("/parent/one", { budget: { usd: 10 } })
  await server.ask("/parent/one", "go")
  await server.until(async () => {
    const { budget } = await detail(server, "/parent/one")
    return budget?.spent.steps === 3
  }, "the children gave back")
  const kid = await detail(server, "/kid/a")
  expect(kid.budget?.limits.usd).toBeCloseTo(kid.budget?.spent.usd ?? -1)
  const { budget } = await detail(server, "/parent/one")
  expect(budget?.limits).toEqual({ usd: 10 })
  const tree = await server.call<UsageReport>("GET", "/v1/usage?by=tree")
  expect(tree.body.groups).toHaveLength(1)
  expect(tree.body.groups[0]).toMatchObject({ key: "/parent/one", calls: 3 })
  expect(tree.body.total.usd).toBeCloseTo(budget?.spent.usd ?? -1)
  // A child that is written to later takes a share again.
  expect(await server.ask("/kid/b", "more")).toMatchObject({ status: "processed", reply: "ok" })
})

test("what tools say is held for too: a child whose share that exceeds asks, and goes on", async () => {
  const parent = defineEntity("parent", {
    handler(ctx, wake) {
      if (wake.childFinished.length > 0) return ctx.reply(wake.childFinished[0]?.reply ?? null)
      // Of what nobody names, a child gets half: one dollar, a thousand tokens.
      ctx.spawn("kid", "a", {}, { message: "go" })
      ctx.suspend()
      return undefined
    },
  })
  const description = "It is told at length what it does. ".repeat(200)
  const wordy = tool({ name: "wordy", description, input: z.object({}), effect: "pure", execute: () => "" })
  const server = await harness({ entities: [parent, agent("kid", () => "ok", {}, wordy)] })
  await server.spawn("/parent/one", { budget: { usd: 2 } })
  const asked = server.ask("/parent/one", "go")
  await server.until(async () => (await server.call("GET", "/v1/entities/kid/a")).status === 200, "it is made")
  const { call, input } = await waiting(server, "/kid/a")
  const { limits, needs, exhausted } = input as unknown as BudgetRequest
  expect([exhausted, limits.usd]).toEqual([["usd"], 1])
  expect(needs.usd).toBeGreaterThan(1)
  await server.until(async () => (await detail(server, "/kid/a")).status === "suspended", "it is suspended")
  await server.call("POST", `/v1/entities/kid/a/approvals/${call}`, { decision: "allow", extend: { usd: 10 } })
  expect(await asked).toMatchObject({ status: "processed", reply: "ok" })
})

test("a parent answers its child from what it has left itself", async () => {
  const parent = defineEntity("parent", {
    handler(ctx, wake) {
      for (const { entity, call } of wake.budgets)
        ctx.answerBudget({ entity, call, decision: "allow", extend: { usd: 3 } })
      if (wake.messages.length > 0) ctx.spawn("kid", "a", {}, { message: "go", budget: { usd: 0.001 } })
      if (wake.childFinished.length === 0) ctx.suspend()
      else ctx.reply(wake.childFinished[0]?.reply ?? null)
    },
  })
  const server = await harness({ entities: [parent, agent("kid", () => "kid is done")] })
  await server.spawn("/parent/one", { budget: { usd: 10 } })
  expect(await server.ask("/parent/one", "go")).toMatchObject({ status: "processed", reply: "kid is done" })
  expect((await detail(server, "/parent/one")).budget).toMatchObject({ limits: { usd: 10 }, spent: { steps: 1 } })
})

test("children and depth have bounds that say so", async () => {
  const server = await harness({ entities: [agent("worker", () => "ok")] })
  await server.spawn("/worker/top", { budget: { children: 1, depth: 1 } })
  expect((await server.spawn("/worker/a", { parent: "/worker/top" })).status).toBe(201)
  const second = await server.spawn("/worker/b", { parent: "/worker/top" })
  expect(second).toMatchObject({ status: 402, body: { code: "BUDGET_EXHAUSTED" } })
  expect(JSON.stringify(second.body)).toContain("children: /worker/top may make 1 children")
  const deep = await server.spawn("/worker/c", { parent: "/worker/a" })
  expect(JSON.stringify(deep.body)).toContain("depth: /worker/a may have no children")
})

test("bad budgets are refused, naming the field", async () => {
  const server = await harness({ entities: [agent("worker", () => "ok")] })
  for (const budget of [{ usd: -1 }, { euros: 2 }, { warnAt: 2 }, { steps: 1.5 }, { tokens: "all" }]) {
    const refused = await server.spawn("/worker/x", { budget })
    expect(refused, JSON.stringify(budget)).toMatchObject({ status: 422, body: { code: "INVALID_ARGS" } })
  }
  expect(() => agent("worker", () => "ok", { budget: { euros: 2 } })).toThrow(/budget\.euros is not a bound/)
})

test("a handler cannot make money from nowhere", async () => {
  const parent = defineEntity("parent", {
    attempts: 1,
    handler(ctx) {
      ctx.spawn("kid", "a", {}, { budget: { usd: -5 } })
    },
  })
  const server = await harness({ entities: [parent, agent("kid", () => "ok")] })
  await server.spawn("/parent/one", { budget: { usd: 1 } })
  expect(await server.ask("/parent/one", "go")).toMatchObject({ status: "dead" })
  expect((await detail(server, "/parent/one")).reason).toMatch(/budget\.usd/)
  expect((await server.call("GET", "/v1/entities/kid/a")).status).toBe(404)
})

test("usage has what calls cost, by type, model and entity", async () => {
  const echo = defineEntity("echo", {
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "", model: "rouse/echo" })
      await ctx.agent.run()
    },
  })
  const server = await harness({ entities: [echo, agent("worker", () => "ok")] })
  await server.spawn("/echo/a")
  await server.spawn("/worker/a")
  await server.ask("/echo/a", "hello there, how much are you?")
  await server.ask("/worker/a", "hello")
  const { body } = await server.call<UsageReport>("GET", "/v1/usage?by=model")
  expect(body.groups.map((group) => group.key)).toEqual(["test/scripted", "rouse/echo"])
  expect(body.groups[1]?.usd).toBeGreaterThan(0)
  expect(body.total).toMatchObject({ calls: 2, unpriced: 0 })
  const since = new Date(Date.now() + 7_200_000).toISOString()
  const none = await server.call<UsageReport>("GET", `/v1/usage?since=${encodeURIComponent(since)}`)
  expect(none.body.groups).toEqual([])
  expect((await server.call("GET", "/v1/usage?by=colour")).status).toBe(422)
  const steps = await server.rows<StepRow>("/echo/a", "step")
  expect(steps[0]?.value.usage?.usd).toBeGreaterThan(0)
  expect((await detail(server, "/echo/a")).usage).toMatchObject({ calls: 1, unpriced: 0 })
})

test("two agents that answer each other all night are frozen within the bound, and lose nothing", async () => {
  const pong = defineEntity("pong", {
    handler(ctx, wake) {
      const other = ctx.entity.id === "a" ? "/pong/b" : "/pong/a"
      for (const message of wake.messages) ctx.send(other, message.content)
    },
  })
  const server = await harness({ entities: [pong], limits: { hopsMax: 20 } })
  await server.spawn("/pong/a")
  await server.spawn("/pong/b")
  await server.ask("/pong/a", "ball")
  const both = ["/pong/a", "/pong/b"] as const
  let frozen: EntityDetail | undefined
  await server.until(async () => {
    for (const url of both) {
      const found = await detail(server, url)
      if (found.status === "paused") frozen = found
    }
    return frozen !== undefined
  }, "one is frozen")
  expect(frozen?.reason).toMatch(/21 messages in a row caused each other \(.*\/pong\/a → \/pong\/b/)
  expect(frozen?.pending).toBe(1)
  const signals = (await server.log(frozen?.url ?? "")).filter((event) => event.type === "signal")
  expect(signals[0]?.value).toMatchObject({
    name: "pause",
    from: { id: "breaker" },
    payload: { breaker: "hops", hops: 21 },
  })
  // On the logs, which forget nothing: live rows are few.
  const heard = async (url: string): Promise<number> =>
    (await server.log(url)).filter(({ type, headers }) => type === "message" && headers.operation === "insert").length
  const count = async (): Promise<number> => (await heard("/pong/a")) + (await heard("/pong/b"))
  expect(await count()).toBe(22)
  await server.call("POST", `/v1/entities${frozen?.url}/signals`, { signal: "resume" })
  await server.until(async () => (await count()) > 22, "it goes on from the message that waited")
})

test("two models that answer each other, and one that writes to itself, are stopped too", async () => {
  const chatty =
    (other: string): Script =>
    (prompt) =>
      prompt.at(-1)?.role === "tool" ? "sent" : { calls: [{ tool: "send", input: { to: other, content: "and you?" } }] }
  const server = await harness({
    entities: [
      sender("left", chatty("/right/one")),
      sender("right", chatty("/left/one")),
      sender("self", chatty("/self/one")),
    ],
    limits: { hopsMax: 6 },
  })
  for (const url of ["/left/one", "/right/one", "/self/one"]) await server.spawn(url)
  for (const url of ["/left/one", "/left/one", "/self/one"])
    await server.call("POST", `/v1/entities${url}/messages`, { content: "hi" })
  const paused = async (url: string): Promise<boolean> => (await detail(server, url)).status === "paused"
  await server.until(() => paused("/self/one"), "the one that writes to itself is frozen")
  await server.until(async () => (await paused("/left/one")) || (await paused("/right/one")), "one of two is frozen")
  expect((await server.rows("/self/one", "message")).length).toBeLessThanOrEqual(9)
})

test("a tree is frozen whole, and wakes a minute are bounded", async () => {
  const server = await harness({ entities: [agent("worker", () => "ok")] })
  await server.spawn("/worker/top", { budget: { wakesPerMinute: 2 } })
  await server.spawn("/worker/below", { parent: "/worker/top" })
  for (let i = 0; i < 2; i++) await server.ask("/worker/top", "go")
  await server.call("POST", "/v1/entities/worker/top/messages", { content: "once more" })
  await server.until(async () => (await detail(server, "/worker/below")).status === "paused", "the child is frozen")
  expect(await detail(server, "/worker/top")).toMatchObject({ status: "paused", pending: 1 })
})

/** A store whose process dies at the `at`th commit: before it is on disk, or after, when nobody hears of it. */
function dying(
  store: Store,
  at: number,
  when: "before" | "after",
): { readonly store: Store; readonly dead: () => boolean } {
  let commits = 0
  let underWay = 0
  const never = new Promise<never>(() => undefined)
  const commit = async (wanted: Commit): Promise<CommitResult> => {
    commits += 1
    if (commits > at || (commits === at && when === "before")) return never
    underWay += 1
    const result = await store.commit(wanted).finally(() => (underWay -= 1))
    return commits >= at ? never : result
  }
  const proxy = new Proxy(store, {
    get: (target, name) => {
      const value = name === "commit" ? commit : (Reflect.get(target, name) as unknown)
      return typeof value === "function" ? (value as (...args: never[]) => unknown).bind(target) : value
    },
  })
  return { store: proxy, dead: () => commits >= at && underWay === 0 }
}

const SCRIPT: Script = [{ calls: [{ tool: "send", input: { to: "/sink/a", content: "note" } }] }, "All done."]
const CRASHES = Array.from({ length: 9 }, (_, i) => i + 1).flatMap((at) =>
  (["before", "after"] as const).map((when) => [when, at] as const),
)

test.each(CRASHES)("a crash %s commit %i around reserving and settling charges each call once", async (when, at) => {
  const store = await openTestStore({ clock: Date.now })
  const entities = [sender("worker", SCRIPT), agent("sink", () => "ok")]
  const setup = await Harness.open({ entities, store })
  await setup.spawn("/sink/a")
  await setup.server.close({ graceMs: 0 })
  const first = dying(store, at, when)
  const doomed = await Harness.open({ entities, store: first.store })
  const work = (server: Harness) => async (): Promise<unknown> => {
    const budget = { usd: 1_000, steps: 2 }
    await server.spawn("/worker/one", { budget })
    const key = { "idempotency-key": "once" }
    return server.call("POST", "/v1/entities/worker/one/messages?wait=20s", { content: "go" }, key)
  }
  const begun = work(doomed)()
  await doomed.until(async () => first.dead() || (await isSettled(begun)), "it dies or is done")
  const second = await harness({ entities, store })
  await work(second)()
  await second.until(async () => (await detail(second, "/worker/one")).status === "idle", "it is done")
  const { budget, usage } = await detail(second, "/worker/one")
  expect(budget?.spent).toEqual({ usd: 0.03, tokens: 30, steps: 2, toolCalls: 1 })
  expect(usage).toMatchObject({ calls: 2, inputTokens: 20, outputTokens: 10 })
  expect((await second.rows<ApprovalRow>("/worker/one", "approval")).length).toBe(0)
  expect((await second.rows<MessageRow>("/sink/a", "message")).length).toBe(1)
})

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const open = Symbol("open")
  return (await Promise.race([promise, Promise.resolve(open)])) !== open
}

test("one that sends to itself at the end of each run is frozen: what waits keeps its count", async () => {
  const self = defineEntity("self", {
    handler(ctx, wake) {
      for (const message of wake.messages) ctx.send(ctx.entity.url, message.content, { mode: "queue" })
    },
  })
  const server = await harness({ entities: [self], limits: { hopsMax: 10 } })
  await server.spawn("/self/one")
  await server.ask("/self/one", "go")
  await server.until(async () => (await detail(server, "/self/one")).status === "paused", "it is frozen")
  expect((await server.rows("/self/one", "message")).length).toBe(12)
})
