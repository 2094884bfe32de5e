import { readFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { expect, test } from "vitest"
import { z } from "zod"
import { codeTool } from "../src/code.ts"
import type { CodeResult, CodeToolOptions } from "../src/code.ts"
import { RouseError, defineEntity, tool } from "../src/index.ts"
import { createTestRouse, scriptedModel } from "../src/testing.ts"
import type { Tool, ToolContext } from "../src/tool.ts"

const A = "/agent/one"

function context(more: Partial<ToolContext> = {}): ToolContext {
  return { idempotencyKey: "key", signal: new AbortController().signal, attempt: 1, ...more } as ToolContext
}

async function run(code: string, options: CodeToolOptions = {}, ctx: ToolContext = context()): Promise<CodeResult> {
  return (await codeTool(options).execute({ code }, ctx)) as CodeResult
}

const add = tool({
  name: "add",
  description: "Adds",
  input: z.object({ a: z.number(), b: z.number() }),
  effect: "pure",
  execute: ({ a, b }) => a + b,
})

/** A tool that remembers the keys it was called with. */
function counting(options: {
  effect: "idempotent" | "once" | "reconcilable"
  done?: Map<string, number>
  approval?: boolean
}) {
  const keys: string[] = []
  const made: Tool = tool({
    name: "charge",
    description: "Charges",
    input: z.object({ cents: z.number() }),
    effect: options.effect,
    approval: options.approval ?? false,
    execute: ({ cents }, { idempotencyKey }) => {
      keys.push(idempotencyKey)
      options.done?.set(idempotencyKey, cents)
      return cents
    },
    reconcile: (_, { idempotencyKey }) => options.done?.get(idempotencyKey),
  })
  return { made, keys }
}

test("a script returns a value, writes to its console, and calls its tools", async () => {
  const code = `
    console.log("adding", { to: [1, 2] })
    const [a, b] = await Promise.all([tools.add({ a: 1, b: 2 }), tools.add({ a: 3, b: 4 })])
    return { sum: a + b }`
  expect(await run(code, { tools: [add] })).toEqual({
    value: { sum: 10 },
    logs: 'adding {"to":[1,2]}',
    calls: [
      { tool: "add", input: { a: 1, b: 2 }, status: "done" },
      { tool: "add", input: { a: 3, b: 4 }, status: "done" },
    ],
  })
  expect((await run("return")).value).toBe(null)
})

test("nothing is there but the language: no network, files, timers, imports or process", async () => {
  const names = [
    "process",
    "require",
    "fetch",
    "setTimeout",
    "Deno",
    "Bun",
    "WebAssembly",
    "XMLHttpRequest",
    "Worker",
    "std",
    "os",
  ]
  const { value } = await run(`return ${JSON.stringify(names)}.filter((name) => name in globalThis)`)
  expect(value).toEqual([])
  await expect(run('return await import("node:fs")')).rejects.toThrow(/the script failed/)
  expect((await run('return Function("return typeof process")()')).value).toBe("undefined")
  expect((await run("return tools.constructor.constructor('return typeof process')()", { tools: [add] })).value).toBe(
    "undefined",
  )
})

test("scripts share nothing", async () => {
  await run("globalThis.left = 1; Array.prototype.map = 2; JSON.stringify = null")
  expect((await run("return [typeof globalThis.left, [1].map((x) => x + 1)]")).value).toEqual(["undefined", [2]])
})

test.each([
  ["an endless loop", "for (;;) {}", /worked longer than 100 ms/],
  ["one that catches what stops it", "for (;;) { try { for (;;) {} } catch {} }", /worked longer/],
  [
    "promises without end",
    "const f = () => Promise.resolve().then(f).catch(f); f(); await new Promise(() => {})",
    /worked longer/,
  ],
  ["an endless wait", "await new Promise(() => {})", /took longer than 300 ms/],
  ["small objects without end", "const a = []; for (;;) a.push({})", /used more than/],
  ["large objects without end", "const a = []; for (;;) a.push(new ArrayBuffer(1e6))", /used more than/],
  ["recursion without end", "const f = () => f(); f()", /stack overflow/],
  ["a parser's recursion", "eval('('.repeat(1e5))", /more stack than there is/],
  ["too large a result", "return 'x'.repeat(2e6)", /2000002 characters, and 1000000 are allowed/],
  ["a result that is no JSON", "const a = {}; a.a = a; return a", /circular reference/],
  ["a syntax error", "return (", /SyntaxError/],
  ["an exception", "\nthrow new TypeError('no')", /TypeError: no \(line 2\)/],
])("%s ends the script and nothing else", async (_, code, message) => {
  const limits = /worked|took/.test(message.source)
    ? { cpuMs: 100, timeoutMs: 300 }
    : { cpuMs: 20_000, timeoutMs: 20_000 }
  const failed = run(code, { ...limits, memoryMb: /used/.test(message.source) ? 1 : 32 })
  await expect(failed).rejects.toThrow(message)
  await expect(failed).rejects.toSatisfy((error) => RouseError.is(error, "BACKEND_REFUSED"))
  expect((await run("return 1 + 1")).value).toBe(2)
})

test("an abort ends a script that waits, and the tool it waits for", async () => {
  const stop = new AbortController()
  let told: AbortSignal | undefined
  const wait = tool({
    name: "wait",
    description: "Waits",
    input: z.object({}),
    effect: "pure",
    execute: (_, { signal }) => {
      told = signal
      stop.abort(new RouseError("INTERRUPTED", "enough"))
      return new Promise(() => undefined)
    },
  })
  await expect(run("return await tools.wait({})", { tools: [wait] }, context({ signal: stop.signal }))).rejects.toThrow(
    "enough",
  )
  expect(told?.aborted).toBe(true)
})

test("what a tool says is wrong is an exception that the script may catch, and calls are bounded", async () => {
  const code = `
    try { await tools.add({ a: "one", b: 2 }) } catch (error) { return [error.name, error.message] }`
  expect((await run(code, { tools: [add] })).value).toEqual(["ToolError", expect.stringContaining("input.a") as string])
  await expect(run("for (;;) await tools.add({ a: 1, b: 1 })", { tools: [add] })).rejects.toThrow(
    /call tools 100 times/,
  )
  const { made } = counting({ effect: "idempotent", approval: true })
  await expect(run("await tools.charge({ cents: 1 })", { tools: [made] })).rejects.toThrow(/needs a person's approval/)
})

test("the same calls have the same keys whenever a script runs again, and others never", async () => {
  const { made, keys } = counting({ effect: "idempotent" })
  const code = "for (const cents of [1, 1, 2]) await tools.charge({ cents })"
  await run(code, { tools: [made] })
  await run(`await tools.charge({ cents: 2 }); ${code}`, { tools: [made] })
  const [first, second, third, again, ...rest] = keys
  expect(new Set([first, second, third]).size).toBe(3)
  expect([again, rest[0], rest[1]]).toEqual([third, first, second])
  expect(rest[2]).not.toBe(third)
  expect(keys.every((key) => key.startsWith("key/charge-"))).toBe(true)
})

test("the effect class is that of the tools, and what may be asked about is asked before it is done again", async () => {
  const done = new Map<string, number>()
  const { made, keys } = counting({ effect: "reconcilable", done })
  expect(codeTool({ tools: [add] }).effect).toBe("pure")
  expect(codeTool({ tools: [add, made] }).effect).toBe("idempotent")
  expect(codeTool({ tools: [add, counting({ effect: "once" }).made] }).effect).toBe("once")
  const code = "return await tools.charge({ cents: 5 })"
  await run(code, { tools: [made] })
  expect((await run(code, { tools: [made] }, context({ attempt: 2 }))).value).toBe(5)
  expect(keys).toHaveLength(1)
})

test("a script that ends while a call is open that must not be repeated: nobody knows", async () => {
  const slow = tool({
    name: "slow",
    description: "Slow",
    input: z.object({}),
    effect: "once",
    execute: () => new Promise(() => undefined),
  })
  const failed = run("await tools.slow({})", { tools: [slow], timeoutMs: 50 })
  await expect(failed).rejects.toSatisfy((error) => RouseError.is(error, "OUTCOME_UNKNOWN"))
})

test("the clock stands still and chance repeats itself, if asked for", async () => {
  const code = "return [Date.now(), new Date().toISOString(), new Date(5).getTime(), Math.random(), Math.random()]"
  const options = { deterministic: { nowMs: 86_400_000 } }
  const first = (await run(code, options)).value
  expect((first as readonly unknown[]).slice(0, 3)).toEqual([86_400_000, "1970-01-02T00:00:00.000Z", 5])
  expect((await run(code, options)).value).toEqual(first)
  expect((await run(code, options, context({ idempotencyKey: "other" }))).value).not.toEqual(first)
})

test("an engine compiled elsewhere serves as well, as on Workers", async () => {
  const file = createRequire(import.meta.url).resolve("@jitl/quickjs-wasmfile-release-sync/wasm")
  const wasm = await WebAssembly.compile(await readFile(file))
  expect((await run("return 6 * 7", { wasm })).value).toBe(42)
})

test("many scripts at once each have their own engine", async () => {
  const all = Array.from({ length: 60 }, (_, n) => run(`return (await tools.add({ a: ${n}, b: 1 }))`, { tools: [add] }))
  expect((await Promise.all(all)).map(({ value }) => value)).toEqual(all.map((_, n) => n + 1))
})

test("in an agent: the script and its calls are on the log, and a crash in the middle runs it again with the same keys", async () => {
  const { made, keys } = counting({ effect: "idempotent" })
  let crash = true
  const flaky = tool({
    name: "flaky",
    description: "Crashes the host once",
    input: z.object({}),
    effect: "pure",
    execute: () => {
      if (crash) rouse.crash()
      crash = false
      return "fine"
    },
  })
  const code = "await tools.charge({ cents: 7 }); return await tools.flaky({})"
  const agent = defineEntity("agent", {
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "", model: "scripted", tools: [codeTool({ tools: [made, flaky] })] })
      await ctx.agent.run()
    },
  })
  const model = scriptedModel([{ calls: [{ tool: "run_code", input: { code } }] }, "Done."])
  const rouse = createTestRouse({ entities: [agent], models: { scripted: model } })
  await rouse.spawn(A)
  await rouse.ask(A, "go")
  expect(rouse.rows(A, "tool_call")).toMatchObject([
    {
      status: "done",
      backend: "sandbox",
      effect: "idempotent",
      output: { value: "fine", calls: [{ tool: "charge", input: { cents: 7 }, status: "done" }, { tool: "flaky" }] },
    },
  ])
  expect(keys).toHaveLength(2)
  expect(keys[0]).toBe(keys[1])
})

test("bad options name the field", () => {
  expect(() => codeTool({ memoryMb: 0 })).toThrow(/codeTool: memoryMb must be a positive number/)
  expect(() => codeTool({ cpuMs: Number.NaN })).toThrow(/cpuMs/)
  expect(() => codeTool({ tools: [add, add] })).toThrow(/two that are named add/)
})
