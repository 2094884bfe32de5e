import { expect, test } from "vitest"
import { z } from "zod"
import { RouseError } from "@rouse/protocol"
import { defineEntity, tool } from "../src/index.ts"
import type { AgentOptions, EntityDefinition, Tool } from "../src/index.ts"
import { runWake } from "../src/runtime.ts"
import { createTestRouse, scriptedModel } from "../src/testing.ts"
import type { Script, TestRouse } from "../src/testing.ts"
import { RecordingBackend, message, request, testHost } from "./support/backend.ts"

const A = "/agent/one"

function agent(options: Partial<AgentOptions> = {}): EntityDefinition {
  return defineEntity("agent", {
    attempts: 2,
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "Be brief.", model: "m", ...options })
      await ctx.agent.run()
    },
  })
}

async function rouseOf(definition: EntityDefinition, script: Script): Promise<TestRouse> {
  const rouse = createTestRouse({ entities: [definition], models: { m: scriptedModel(script) } })
  await rouse.spawn(A)
  return rouse
}

function act(name: string, execute: () => unknown, options: Partial<Parameters<typeof tool>[0]> = {}): Tool {
  return tool({ name, description: name, input: z.object({}), effect: "pure", execute, ...options })
}

const call = (name: string, input = {}) => ({ calls: [{ tool: name, input }] })

/** The user and tool texts that the model was shown in its last call. */
function lastPrompt(model: ReturnType<typeof scriptedModel>): string {
  return JSON.stringify(model.calls.at(-1)?.prompt)
}

test("a message that arrives during a run joins at the next step", async () => {
  const model = scriptedModel([call("wait"), "Both answered.", "Later."])
  const definition = agent({ model, tools: [act("wait", () => rouse.send(A, "and this")), act("x", () => 1)] })
  const rouse = await rouseOf(definition, [])
  const first = rouse.send(A, "one")
  await rouse.settle()
  const rows = rouse.rows(A, "message")
  expect(rows.map((row) => [row.content, row.status, row.run])).toEqual([
    ["one", "processed", "r000001"],
    ["and this", "processed", "r000001"],
  ])
  expect(rouse.rows(A, "step").map((step) => step.messages)).toEqual([[first], [rows[1]?.id]])
  expect(lastPrompt(model)).toContain("and this")
})

test("a queued message waits for the next wake", async () => {
  const rouse: TestRouse = await rouseOf(
    agent({ tools: [act("wait", () => rouse.send(A, "later", { mode: "queue" }))] }),
    [call("wait"), "First.", "Second."],
  )
  rouse.send(A, "now")
  await rouse.settle()
  expect(rouse.rows(A, "run").map((run) => run.reply)).toEqual(["First.", "Second."])
  expect(rouse.rows(A, "message").map((row) => row.run)).toEqual(["r000001", "r000002"])
})

test("an interrupting message aborts the run, keeps what was said, and is answered next", async () => {
  const rouse: TestRouse = await rouseOf(
    agent({
      tools: [
        act(
          "hang",
          () => (setTimeout(() => rouse.send(A, "stop it", { mode: "interrupt" }), 5), new Promise(() => undefined)),
          { effect: "idempotent" },
        ),
        act("fire", () => new Promise(() => undefined), { effect: "once" }),
        act("quick", () => "ok"),
      ],
    }),
    [{ text: "Working.", calls: ["quick", "fire", "hang"].map((name) => ({ tool: name, input: {} })) }, "Stopped."],
  )
  rouse.send(A, "go")
  await rouse.settle()
  expect(rouse.rows(A, "run").map((run) => run.status)).toEqual(["interrupted", "completed"])
  expect(rouse.rows(A, "tool_call").map((row) => [row.name, row.status])).toEqual([
    ["quick", "done"],
    ["fire", "unknown"],
    ["hang", "cancelled"],
  ])
  expect(rouse.rows(A, "message").map((row) => row.status)).toEqual(["cancelled", "processed"])
})

test("an interrupt while the model streams keeps the text so far", async () => {
  const backend = new RecordingBackend()
  const definition = agent({ model: "rouse/echo" })
  const running = runWake(
    definition,
    request([message("m1", "/slow 20\n/say one two three four five six seven eight nine ten")]),
    backend,
    testHost({ deltaMs: 8 }),
  )
  backend.before = (commit) => {
    if (commit.seq === 2) backend.controller.abort(new RouseError("INTERRUPTED", "a person interrupted the run"))
  }
  await running
  const last = backend.commits.at(-1)
  expect(last?.finish).toEqual({ kind: "interrupted", reason: "a person interrupted the run" })
  expect(last?.events.find((event) => event.type === "step")?.value).toMatchObject({ status: "interrupted" })
  const text = last?.events.find((event) => event.type === "text")?.value as { text: string }
  expect(text.text).toMatch(/^one/)
  expect(text.text).not.toContain("ten")
})

test("deltas are batches that spell the settled text, and are taken back when it settles", async () => {
  const backend = new RecordingBackend()
  await runWake(
    agent({ model: "rouse/echo" }),
    request([message("m1", "/slow 4\n/say one two three four five six seven")]),
    backend,
    testHost({ deltaMs: 10 }),
  )
  const deltas = backend.commits.flatMap((commit) => commit.events).filter((event) => event.type === "delta")
  expect(deltas.length).toBeGreaterThan(1)
  expect(new Set(deltas.map((delta) => delta.key))).toEqual(new Set(["r000001-s0001-p000"]))
  let spelt = ""
  expect(deltas.pop()?.headers.operation).toBe("delete")
  for (const { value } of deltas) {
    const { at, text } = value as { at: number; text: string }
    expect(at).toBe(spelt.length)
    spelt += text
  }
  expect("one two three four five six seven".startsWith(spelt.trimEnd())).toBe(true)
  expect(
    backend.commits[0]?.events.slice(0, 2).map((event) => [event.type, (event.value as { status: string }).status]),
  ).toEqual([
    ["run", "running"],
    ["step", "running"],
  ])
})

test("a call that needs approval suspends the run; allowed, it runs and the run goes on", async () => {
  const paid: string[] = []
  const rouse = await rouseOf(
    agent({
      tools: [
        tool({
          name: "pay",
          description: "Pays",
          input: z.object({ cents: z.number() }),
          effect: "once",
          approval: ({ cents }) => cents > 100,
          execute: ({ cents }, { idempotencyKey }) => (paid.push(`${cents} ${idempotencyKey}`), { paid: cents }),
        }),
      ],
    }),
    [
      {
        calls: [
          { tool: "pay", input: { cents: 500 } },
          { tool: "pay", input: { cents: 50 } },
        ],
      },
      "Paid both.",
    ],
  )
  rouse.send(A, "pay")
  await rouse.settle()
  expect(rouse.status(A)).toBe("suspended")
  expect(paid).toHaveLength(1)
  expect(rouse.rows(A, "tool_call").map((row) => row.status)).toEqual(["waiting", "done"])
  rouse.send(A, "hurry")
  await rouse.settle()
  expect(rouse.status(A)).toBe("suspended")
  rouse.decide(A, "r000001-s0001-p000", "allow")
  await rouse.settle()
  expect(rouse.rows(A, "run").map((run) => [run.status, run.reply])).toEqual([["completed", "Paid both."]])
  expect(paid).toHaveLength(2)
  expect(rouse.rows(A, "message").map((row) => row.status)).toEqual(["processed", "processed", "processed"])
  expect(rouse.rows(A, "step").map((step) => step.messages.length)).toEqual([1, 1])
})

test("a denied call is told with the person's note", async () => {
  const model = scriptedModel([call("pay"), "Very well."])
  const rouse = await rouseOf(agent({ model, tools: [act("pay", () => 1, { approval: true, effect: "once" })] }), [])
  rouse.send(A, "pay")
  await rouse.settle()
  rouse.decide(A, "r000001-s0001-p000", "deny", "Too much.")
  await rouse.settle()
  expect(rouse.rows(A, "tool_call")[0]).toMatchObject({ status: "denied", error: "Too much." })
  expect(lastPrompt(model)).toContain("Too much.")
})

test("an interrupt ends a suspended run", async () => {
  const rouse = await rouseOf(agent({ tools: [act("pay", () => 1, { approval: true })] }), [call("pay"), "New."])
  rouse.send(A, "pay")
  await rouse.settle()
  rouse.signal(A, "interrupt")
  await rouse.settle()
  expect(rouse.rows(A, "run")[0]?.status).toBe("interrupted")
  expect(rouse.rows(A, "tool_call")[0]?.status).toBe("cancelled")
  expect(await rouse.ask(A, "hello")).toBe("New.")
})

test("an interrupting message ends a suspended run and is answered by the next", async () => {
  const rouse = await rouseOf(agent({ tools: [act("pay", () => 1, { approval: true })] }), [call("pay"), "New."])
  rouse.send(A, "pay")
  await rouse.settle()
  rouse.send(A, "never mind", { mode: "interrupt" })
  await rouse.settle()
  expect(rouse.rows(A, "run").map((run) => [run.status, run.reply])).toEqual([
    ["interrupted", undefined],
    ["completed", "New."],
  ])
  expect(rouse.rows(A, "message").map((row) => row.status)).toEqual(["cancelled", "processed"])
})

test("maxSteps fails the run clearly, and is not tried again", async () => {
  const rouse = await rouseOf(agent({ maxSteps: 3, tools: [act("loop", () => 1)] }), () => call("loop"))
  rouse.send(A, "go")
  await rouse.settle()
  expect(rouse.rows(A, "step")).toHaveLength(3)
  expect(rouse.rows(A, "run")[0]).toMatchObject({
    status: "failed",
    error: { code: "BUDGET_EXHAUSTED", message: expect.stringContaining("maxSteps: 3") },
  })
  expect(rouse.rows(A, "message")[0]).toMatchObject({ status: "dead" })
  expect(rouse.log(A).filter((event) => event.type === "error")).toEqual([])
})

test("several passes are numbered, and a finished one is not run again by a retried wake", async () => {
  const model = scriptedModel(["Draft.", "Final."])
  let crashed = false
  const definition = defineEntity("agent", {
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "", model })
      const draft = await ctx.agent.run()
      await ctx.commit()
      const final = await ctx.agent.run({ prompt: `Improve: ${draft.text}` })
      if (!crashed) {
        crashed = true
        await ctx.commit()
        throw new Error("no luck")
      }
      ctx.reply({ draft: draft.text, final: final.text, steps: draft.steps + final.steps })
    },
  })
  const rouse = await rouseOf(definition, [])
  expect(await rouse.ask(A, "write")).toEqual({ draft: "Draft.", final: "Final.", steps: 2 })
  expect(model.calls).toHaveLength(2)
  expect(rouse.rows(A, "step").map((step) => [step.pass, step.prompt])).toEqual([
    [0, undefined],
    [1, "Improve: Draft."],
  ])
  expect(lastPrompt(model)).toContain("Improve: Draft.")
})

test("a pass with nothing new is told to continue, and says so on the log", async () => {
  const definition = defineEntity("agent", {
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "", model: "m" })
      await ctx.agent.run()
      await ctx.agent.run()
    },
  })
  const rouse = await rouseOf(definition, ["One.", "Two."])
  expect(await rouse.ask(A, "go")).toBe("Two.")
  expect(rouse.rows(A, "step")[1]?.prompt).toBe("Continue.")
})

test("a busy provider is asked again; one that stays busy costs an attempt", async () => {
  const rouse = await rouseOf(agent(), [[{ status: 529 }, { text: "half", cut: true }, "Here."], [{ status: 503 }]])
  expect(await rouse.ask(A, "hi")).toBe("Here.")
  expect(rouse.rows(A, "step")[0]?.attempts).toBe(3)
  rouse.send(A, "again")
  await rouse.settle()
  expect(rouse.status(A)).toBe("dead")
  expect(
    rouse
      .log(A)
      .filter((event) => event.type === "error")
      .map((event) => event.value),
  ).toMatchObject([
    { code: "MODEL_FAILED", attempt: 1 },
    { code: "MODEL_FAILED", attempt: 2 },
  ])
})

test("a refused model is a failed run, unless the handler catches it", async () => {
  const refused = await rouseOf(agent(), [{ status: 403 }])
  refused.send(A, "hi")
  await refused.settle()
  expect(refused.rows(A, "run")[0]).toMatchObject({ status: "failed", error: { code: "MODEL_REFUSED" } })
  const caught = await rouseOf(
    defineEntity("agent", {
      async handler(ctx) {
        ctx.useAgent({ systemPrompt: "", model: "m" })
        await ctx.agent.run().catch((error: RouseError) => ctx.reply(`no model: ${error.code}`))
      },
    }),
    [{ status: 403 }],
  )
  expect(await caught.ask(A, "hi")).toBe("no model: MODEL_REFUSED")
})

test("tools that throw, hang or return what JSON cannot hold fail the call alone", async () => {
  const rouse = await rouseOf(
    agent({
      tools: [
        act("throws", () => Promise.reject(new Error("out of stock"))),
        act("hangs", () => new Promise(() => undefined), { timeout: 5 }),
        act("hangsOnce", () => new Promise(() => undefined), { timeout: 5, effect: "once" }),
        act("odd", () => 10n),
        act("nothing", () => undefined),
        act("huge", () => "x".repeat(300_000)),
      ],
    }),
    [
      { calls: ["throws", "hangs", "hangsOnce", "odd", "nothing", "huge"].map((name) => ({ tool: name, input: {} })) },
      "Fine.",
    ],
  )
  expect(await rouse.ask(A, "go")).toBe("Fine.")
  const rows = Object.fromEntries(rouse.rows(A, "tool_call").map((row) => [row.name, row]))
  expect(rows["throws"]).toMatchObject({ status: "failed", error: "out of stock" })
  expect(rows["hangs"]).toMatchObject({ status: "failed", error: expect.stringContaining("5 ms") })
  expect(rows["hangsOnce"]?.status).toBe("unknown")
  expect(rows["odd"]).toMatchObject({ status: "failed", error: expect.stringContaining("JSON") })
  expect(rows["nothing"]).toMatchObject({ status: "done", output: null })
  expect(JSON.stringify(rows["huge"]?.output).length).toBeLessThan(20_000)
})

test("a tool is tried as often as it says, with the same key", async () => {
  const keys: string[] = []
  const flaky = tool({
    name: "flaky",
    description: "",
    input: z.object({}),
    effect: "idempotent",
    retry: { attempts: 3 },
    execute: (_, { idempotencyKey, attempt }) => {
      keys.push(idempotencyKey)
      if (attempt < 3) throw new Error("not yet")
      return "ok"
    },
  })
  const rouse = await rouseOf(agent({ tools: [flaky] }), [call("flaky"), "Done."])
  await rouse.ask(A, "go")
  expect(rouse.rows(A, "tool_call")[0]).toMatchObject({ status: "done", attempts: 3 })
  expect(new Set(keys).size).toBe(1)
})

test("tools that are not parallel run alone; the others together", async () => {
  let now = 0
  const peaks: Record<string, number> = {}
  const busy = (name: string) => async () => {
    now += 1
    peaks[name] = Math.max(peaks[name] ?? 0, now)
    await new Promise((resolve) => setTimeout(resolve, 5))
    peaks[name] = Math.max(peaks[name] ?? 0, now)
    now -= 1
  }
  const rouse = await rouseOf(
    agent({ tools: [act("a", busy("a")), act("b", busy("b")), act("alone", busy("alone"), { parallel: false })] }),
    [{ calls: ["a", "b", "alone", "a"].map((name) => ({ tool: name, input: {} })) }, "Done."],
  )
  await rouse.ask(A, "go")
  expect(peaks).toEqual({ a: 2, b: 2, alone: 1 })
})

test("the model's spawns and sends are told when they are refused", async () => {
  const child = defineEntity("child", { args: z.object({ n: z.number() }), handler: (ctx) => ctx.reply("done") })
  const definition = defineEntity("agent", {
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "", model: "m", tools: ctx.tools })
      await ctx.agent.run()
    },
  })
  const calls = [
    { tool: "send", input: { to: "/nobody/here", content: "x" } },
    { tool: "spawn", input: { type: "child", id: "a", args: { n: "x" } } },
    { tool: "spawn", input: { type: "child", id: "b", args: { n: 1 }, message: "go" } },
    { tool: "send", input: { to: "nonsense", content: "x" } },
  ]
  const rouse = createTestRouse({
    entities: [definition, child],
    models: { m: scriptedModel([{ calls }, "Told.", "Child told."]) },
  })
  await rouse.spawn(A)
  expect(await rouse.ask(A, "go")).toBe("Told.")
  expect(rouse.rows(A, "tool_call").map((row) => [row.status, row.error ?? row.output])).toEqual([
    ["failed", expect.stringContaining("/nobody/here")],
    ["failed", expect.stringContaining("args.n")],
    ["done", { url: "/child/b" }],
    ["failed", expect.stringContaining("address")],
  ])
  expect(rouse.rows(A, "run").at(-1)?.reply).toBe("Child told.")
})

test("a commit that the store cannot take is sent again with the same number", async () => {
  const backend = new RecordingBackend()
  let failures = 2
  backend.before = () => {
    if (failures-- > 0) throw new RouseError("STORE_UNAVAILABLE", "the disk is busy")
  }
  await runWake(agent({ model: "rouse/echo" }), request([message("m1", "hi")]), backend, testHost())
  expect(backend.commits.map((commit) => commit.seq)).toEqual([1])
})

test("a fenced commit stops everything at once", async () => {
  const backend = new RecordingBackend()
  let calls = 0
  backend.before = (commit) => {
    calls += 1
    if (commit.seq === 2) throw new RouseError("FENCED", "a newer lease exists")
  }
  const definition = agent({ model: "rouse/echo", tools: [act("x", () => 1)] })
  await expect(runWake(definition, request([message("m1", "/call x")]), backend, testHost())).rejects.toMatchObject({
    code: "FENCED",
  })
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(calls).toBe(2)
})

test("a host that shuts down ends the wake without a finish", async () => {
  const backend = new RecordingBackend()
  const definition = agent({
    model: "rouse/echo",
    tools: [
      act(
        "hang",
        () => (backend.controller.abort(new RouseError("SHUTTING_DOWN", "bye")), new Promise(() => undefined)),
      ),
    ],
  })
  await expect(runWake(definition, request([message("m1", "/call hang")]), backend, testHost())).rejects.toMatchObject({
    code: "SHUTTING_DOWN",
  })
  expect(backend.commits.filter((commit) => commit.finish)).toEqual([])
})

test("a handler that throws is tried again, then dead-lettered with the reason", async () => {
  const rouse = await rouseOf(
    defineEntity("agent", { attempts: 3, handler: () => Promise.reject(new Error("broken")) }),
    [],
  )
  rouse.send(A, "hi")
  await rouse.settle()
  expect(rouse.status(A)).toBe("dead")
  expect(rouse.rows(A, "message")[0]).toMatchObject({ status: "dead", reason: "broken" })
  expect(rouse.log(A).filter((event) => event.type === "error")).toHaveLength(3)
})

test("a handler that suspends keeps its run open over wakes", async () => {
  const definition = defineEntity("agent", {
    handler(ctx, wake) {
      if (wake.messages.some((row) => row.content === "finish")) return ctx.reply("finished")
      ctx.suspend()
    },
  })
  const rouse = await rouseOf(definition, [])
  rouse.send(A, "begin")
  await rouse.settle()
  expect(rouse.status(A)).toBe("suspended")
  expect(await rouse.ask(A, "finish")).toBe("finished")
  expect(rouse.rows(A, "run")).toHaveLength(1)
  expect(rouse.rows(A, "message").map((row) => row.status)).toEqual(["processed", "processed"])
})

test("a child's end wakes its parent with the reply", async () => {
  const child = defineEntity("child", { handler: (ctx) => ctx.reply({ got: ctx.messages[0]?.content ?? null }) })
  const seen: unknown[] = []
  const parent = defineEntity("agent", {
    handler(ctx, wake) {
      if (wake.messages.length > 0) ctx.spawn("child", "kid", {}, { message: "work" })
      seen.push(
        ...wake.childFinished,
        ctx.children.map((row) => row.status),
      )
    },
  })
  const rouse = createTestRouse({ entities: [parent, child] })
  await rouse.spawn(A)
  rouse.send(A, "go")
  await rouse.settle()
  expect(seen).toEqual([
    ["running"],
    { url: "/child/kid", outcome: "completed", reply: { got: "work" } },
    ["completed"],
  ])
})

test("sends later are delivered when they are due", async () => {
  const definition = defineEntity("agent", {
    handler(ctx) {
      if (ctx.messages[0]?.content === "start") ctx.send(ctx.entity.url, "tick", { after: 60_000 })
      else ctx.tag("ticked", "yes")
    },
  })
  const rouse = await rouseOf(definition, [])
  rouse.send(A, "start")
  await rouse.settle()
  await rouse.advance(59_000)
  expect(rouse.tags(A)).toEqual({})
  await rouse.advance(1_000)
  expect(rouse.tags(A)).toEqual({ ticked: "yes" })
})

test("a retried handler reads the rows it read before, and repeats no change", async () => {
  const seen: unknown[] = []
  let failures = 2
  const definition = defineEntity("agent", {
    attempts: 5,
    state: { items: { schema: z.object({ id: z.string(), n: z.number() }), key: "id" } },
    async handler(ctx) {
      seen.push(ctx.state.items.list().length)
      if (ctx.state.items.list().length === 0) ctx.state.items.insert({ id: "a", n: 1 })
      ctx.state.items.insert({ id: "b", n: 1 })
      ctx.state.items.update("b", (row) => ({ ...row, n: row.n + 1 }))
      ctx.state.items.delete("a")
      await ctx.commit()
      ctx.state.items.insert({ id: "c", n: 1 })
      if (failures-- > 0) throw new Error("again")
    },
  })
  const rouse = await rouseOf(definition, [])
  rouse.send(A, "go")
  await rouse.settle()
  expect(seen).toEqual([0, 0, 0])
  expect(rouse.rows(A, "items")).toEqual([
    { id: "b", n: 2 },
    { id: "c", n: 1 },
  ])
  expect(
    rouse
      .log(A)
      .filter((event) => event.type === "items")
      .map((event) => `${event.headers.operation} ${event.key}`),
  ).toEqual(["insert a", "insert b", "update b", "delete a", "insert c"])
})

test("a step or tool that throws leaves no change behind", async () => {
  const definition = defineEntity("agent", {
    state: { items: { schema: z.object({ id: z.string() }), key: "id" } },
    async handler(ctx) {
      const failing = ctx.step("fails", () => {
        ctx.state.items.insert({ id: "a" })
        throw new Error("no")
      })
      await failing.catch(() => undefined)
      ctx.reply(ctx.state.items.list().length)
    },
  })
  const rouse = await rouseOf(definition, [])
  expect(await rouse.ask(A, "go")).toBe(0)
  expect(rouse.rows(A, "items")).toEqual([])
})

test("a remembered send is not made again by a retried wake", async () => {
  const backend = new RecordingBackend()
  const rows = [
    message("m1", "hi", { status: "taken", run: "r000001" }),
    { collection: "memo", key: "w1:send:0", value: { wake: "w1", value: "w1.0" } },
  ]
  const definition = defineEntity("agent", {
    handler: (ctx) => (ctx.send("/a/b", 1), ctx.send("/a/c", 2)),
  })
  await runWake(definition, request(rows, { attempt: 2 }), backend, testHost())
  expect(backend.commits[0]?.sends).toEqual([{ id: "w1.1", to: "/a/c", content: 2, mode: "steer" }])
  expect(backend.commits[0]?.events.filter((event) => event.type === "memo")).toEqual([
    { type: "memo", key: "w1:send:0", headers: { operation: "delete" } },
  ])
})

test("a handler that does not await its agent fails with a clear word, and nothing else breaks", async () => {
  const definition = defineEntity("agent", {
    attempts: 1,
    handler(ctx) {
      ctx.useAgent({ systemPrompt: "", model: "m" })
      void ctx.agent.run()
    },
  })
  const rouse = await rouseOf(definition, ["Too late."])
  rouse.send(A, "go")
  await rouse.settle()
  expect(rouse.rows(A, "message")[0]).toMatchObject({ status: "dead", reason: expect.stringContaining("await it") })
})

test("a tool that goes on after its time is over changes nothing", async () => {
  const late: unknown[] = []
  const definition = defineEntity("agent", {
    state: { items: { schema: z.object({ id: z.string() }), key: "id" } },
    async handler(ctx) {
      const slow = async () => {
        ctx.state.items.insert({ id: "early" })
        await new Promise((resolve) => setTimeout(resolve, 15))
        try {
          ctx.state.items.insert({ id: "late" })
        } catch (error) {
          late.push((error as RouseError).code)
        }
      }
      ctx.useAgent({ systemPrompt: "", model: "m", tools: [act("slow", slow, { timeout: 5 })] })
      await ctx.agent.run()
      await new Promise((resolve) => setTimeout(resolve, 30))
      ctx.reply(ctx.state.items.list().length)
    },
  })
  const rouse = await rouseOf(definition, [call("slow"), "Done."])
  expect(await rouse.ask(A, "go")).toBe(0)
  expect(late).toEqual(["CONFLICT"])
})

test("what a tool changes is on the log with its result", async () => {
  const definition = defineEntity("agent", {
    state: { items: { schema: z.object({ id: z.string() }), key: "id" } },
    async handler(ctx) {
      const note = act(
        "note",
        () => (ctx.state.items.insert({ id: "a" }), ctx.send(A, "later", { mode: "queue" }), "noted"),
      )
      const first = ctx.messages[0]?.content === "go"
      ctx.useAgent({ systemPrompt: "", model: "m", tools: first ? [note] : [] })
      await ctx.agent.run()
    },
  })
  const rouse = await rouseOf(definition, [call("note"), "Done.", "Again."])
  await rouse.ask(A, "go")
  expect(rouse.rows(A, "items")).toEqual([{ id: "a" }])
  const order = rouse.log(A).map((event) => event.type)
  expect(order.indexOf("items")).toBeLessThan(order.lastIndexOf("tool_call"))
  expect(
    rouse
      .rows(A, "message")
      .map((row) => String(row.content))
      .toSorted((a, b) => a.localeCompare(b)),
  ).toEqual(["go", "later"])
})

test("a send that was durable when an interrupt came is done, not cancelled", async () => {
  const backend = new RecordingBackend()
  const definition = defineEntity("sender", {
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "Be brief.", model: "rouse/echo", tools: ctx.tools })
      await ctx.agent.run()
    },
  })
  backend.before = async (commit) => {
    if (!commit.sends?.length) return
    backend.controller.abort(new RouseError("INTERRUPTED", "a person interrupted the run"))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await runWake(definition, request([message("m1", "/send /assistant/two hello")]), backend, testHost())
  const calls = backend.commits.flatMap(({ events }) => events.filter(({ type }) => type === "tool_call"))
  const statuses = calls.map(({ value }) => (value as { status: string }).status)
  expect(backend.commits.flatMap(({ sends }) => sends ?? [])).toHaveLength(1)
  expect(statuses.slice(statuses.indexOf("done"))).toEqual(["done"])
})
