import { afterEach, describe, expect, test } from "vitest"
import { z } from "zod"
import { defineEntity, tool } from "../src/index.ts"
import { createTestRouse } from "../src/testing.ts"
import type { TestRouse } from "../src/testing.ts"
import { startProviderServer } from "./support/provider-server.ts"
import type { ProviderScript, ProviderServer, WireFormat } from "./support/provider-server.ts"

const KEY = "sk-test-0123456789abcdef"
const running: ProviderServer[] = []

afterEach(async () => {
  for (const server of running.splice(0)) await server.close()
})

const add = tool({
  name: "add",
  description: "Adds two numbers",
  input: z.object({ a: z.number(), b: z.number() }),
  effect: "pure",
  execute: ({ a, b }) => ({ sum: a + b }),
})

const MODELS: Readonly<Record<WireFormat, string>> = {
  anthropic: "claude-test",
  responses: "gpt-5-test",
  chat: "gpt-test",
}

async function start(format: WireFormat, script: ProviderScript, env: Readonly<Record<string, string>> = {}) {
  const server = await startProviderServer(script)
  running.push(server)
  const entity = defineEntity("assistant", {
    attempts: 1,
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "Be brief.", model: MODELS[format], tools: [add] })
      await ctx.agent.run()
    },
  })
  const rouse = createTestRouse({
    entities: [entity],
    env: {
      ANTHROPIC_API_KEY: KEY,
      OPENAI_API_KEY: KEY,
      ANTHROPIC_BASE_URL: server.url,
      OPENAI_BASE_URL: `${server.url}/v1`,
      OPENAI_API: format === "responses" ? "responses" : "chat",
      ...env,
    },
  })
  await rouse.spawn("/assistant/one")
  return { server, rouse }
}

function everything(rouse: TestRouse): string {
  return JSON.stringify(rouse.log("/assistant/one"))
}

describe.each(["anthropic", "responses", "chat"] as const)("%s", (format) => {
  test("streams text and reports usage with cache figures", async () => {
    const { rouse, server } = await start(format, [
      { text: "Hello there, friend.", usage: { input: 100, output: 7, cached: 60 } },
    ])
    expect(await rouse.ask("/assistant/one", "hi")).toBe("Hello there, friend.")
    const [step] = rouse.rows("/assistant/one", "step")
    expect(step?.usage).toMatchObject({ inputTokens: 100, outputTokens: 7, cachedInputTokens: 60 })
    expect(step?.finishReason).toBe("stop")
    expect(server.requests[0]?.format).toBe(format)
  })

  test("makes parallel tool calls and a tool result round trip in the wire's form", async () => {
    const { rouse, server } = await start(format, [
      {
        text: "Adding.",
        ...(format === "chat" ? {} : { reasoning: "Two sums, then." }),
        calls: [
          { id: "call_a", name: "add", input: { a: 1, b: 2 } },
          { id: "call_b", name: "add", input: { a: 3, b: "x" } },
        ],
      },
      { text: "It is 3." },
      { text: "Again." },
    ])
    expect(await rouse.ask("/assistant/one", "add them")).toBe("It is 3.")
    expect(
      rouse.rows("/assistant/one", "tool_call").map((row) => [row.callId, row.status, row.output ?? row.error]),
    ).toEqual([
      ["call_a", "done", { sum: 3 }],
      ["call_b", "failed", expect.stringContaining("input.b")],
    ])
    if (format !== "chat")
      expect(rouse.rows("/assistant/one", "reasoning").map((row) => row.text)).toEqual(["Two sums, then."])
    await rouse.ask("/assistant/one", "again")
    expect(server.requests[1]?.body[format === "responses" ? "input" : "messages"]).toMatchSnapshot()
    expectPrefix(server, format)
  })

  test("honours Retry-After, and says how often it tried", async () => {
    const { rouse } = await start(format, [
      { status: 429, error: "slow down", headers: { "retry-after": "7" } },
      { text: "Now." },
    ])
    const before = rouse.nowMs
    expect(await rouse.ask("/assistant/one", "hi")).toBe("Now.")
    expect(rouse.nowMs - before).toBe(7_000)
    expect(rouse.rows("/assistant/one", "step")[0]?.attempts).toBe(2)
  })

  test("begins a step anew after a cut connection", async () => {
    const { rouse } = await start(format, [{ text: "This is cut", cut: true }, { text: "Whole." }])
    expect(await rouse.ask("/assistant/one", "hi")).toBe("Whole.")
    expect(rouse.rows("/assistant/one", "text").map((row) => row.text)).toEqual(["Whole."])
  })

  test("reports a refused key at once, and never shows it", async () => {
    const { rouse, server } = await start(format, [{ status: 401, error: `Incorrect API key provided: ${KEY}` }])
    await expect(rouse.ask("/assistant/one", "hi")).rejects.toThrow(/refused.*401/)
    expect(server.requests).toHaveLength(1)
    expect(rouse.rows("/assistant/one", "run")[0]).toMatchObject({ status: "failed", error: { code: "MODEL_REFUSED" } })
    expect(everything(rouse)).not.toContain(KEY)
  })

  test("reports a conversation that is too long", async () => {
    const error =
      format === "anthropic"
        ? "prompt is too long: 250000 tokens > 200000 maximum"
        : "This model's maximum context length is 8192 tokens."
    const { rouse } = await start(format, [{ status: 400, error }])
    await expect(rouse.ask("/assistant/one", "hi")).rejects.toThrow(/longer than .* accepts/)
    expect(rouse.rows("/assistant/one", "run")[0]?.error?.code).toBe("CONTEXT_OVERFLOW")
  })

  test("gives up after four tries", async () => {
    const { rouse, server } = await start(format, () => ({ status: 503, error: "down" }))
    await expect(rouse.ask("/assistant/one", "hi")).rejects.toThrow(/failed 4 times/)
    expect(server.requests).toHaveLength(4)
  })
})

/** P4: each request's conversation begins with the one before. */
function expectPrefix(server: ProviderServer, format: WireFormat): void {
  const bodies = server.requests.map(({ body }) =>
    stable((body[format === "responses" ? "input" : "messages"] ?? []) as readonly unknown[]),
  )
  for (const [i, body] of bodies.entries()) {
    const next = bodies[i + 1]
    if (next) expect(next.slice(0, body.length)).toEqual(body)
  }
}

/** Cache breakpoints are not content: they move with the end. */
function stable(messages: readonly unknown[]): readonly string[] {
  return messages.map((message) =>
    JSON.stringify(message, (key, value: unknown) => (key === "cache_control" ? undefined : value)),
  )
}

test("anthropic is told where to cache: after the system prompt, and at the end", async () => {
  const { rouse, server } = await start("anthropic", [{ text: "Hi." }])
  await rouse.ask("/assistant/one", "hi")
  const body = server.requests[0]?.body as {
    system: { cache_control?: unknown }[]
    messages: { content: { cache_control?: unknown }[] }[]
  }
  expect(body.system.at(-1)?.cache_control).toEqual({ type: "ephemeral" })
  expect(body.messages.at(-1)?.content.at(-1)?.cache_control).toEqual({ type: "ephemeral" })
})

test("anthropic is told to cache a summary, once the conversation was too long for it and is asked again", async () => {
  const { rouse, server } = await start("anthropic", ({ body }, n) => {
    if (JSON.stringify(body["system"]).includes("You summarise")) return { text: "They said hi." }
    if (n === 2) return { status: 400, error: "prompt is too long: 210000 tokens > 200000 maximum" }
    return { text: "Hi.", usage: { input: 100, output: 5, cached: n === 0 ? 0 : 80 } }
  })
  await rouse.ask("/assistant/one", "one")
  await rouse.ask("/assistant/one", "two")
  expect(await rouse.ask("/assistant/one", "three")).toBe("Hi.")
  const messages = (server.requests.at(-1)?.body["messages"] ?? []) as {
    readonly content: readonly { readonly text: string; readonly cache_control?: unknown }[]
  }[]
  expect(messages).toHaveLength(1)
  expect(messages[0]?.content.map((part) => [part.text.split("\n").at(-1), part.cache_control])).toEqual([
    ["They said hi.", { type: "ephemeral" }],
    ["three", { type: "ephemeral" }],
  ])
  expect(rouse.rows("/assistant/one", "context")).toMatchObject([{ why: "overflow", by: "model", through: "r000002" }])
  expect(rouse.rows("/assistant/one", "run")).toMatchObject([{ id: "r000003", status: "completed" }])
  const hits = rouse.log("/assistant/one").flatMap((event) => {
    const row = event.value as { status?: string; cacheHitOnWake?: number }
    return event.type === "run" && row.status === "completed" ? [row.cacheHitOnWake] : []
  })
  expect(hits).toEqual([0, 0.8, 0.8])
})

test("an OpenAI-compatible server needs only an address", async () => {
  const server = await startProviderServer([{ text: "Local." }])
  running.push(server)
  const entity = defineEntity("local", {
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "", model: "compatible/llama", tools: [] })
      await ctx.agent.run()
    },
  })
  const rouse = createTestRouse({ entities: [entity], env: { OPENAI_COMPATIBLE_BASE_URL: `${server.url}/v1` } })
  await rouse.spawn("/local/one")
  expect(await rouse.ask("/local/one", "hi")).toBe("Local.")
  expect(server.requests[0]).toMatchObject({ format: "chat", body: { model: "llama" } })
  expect(rouse.rows("/local/one", "step")[0]).toMatchObject({
    model: "compatible/llama",
    usage: { inputTokens: 10, outputTokens: 5 },
  })
})

test("a gateway answers for a model whose own provider has no key", async () => {
  const server = await startProviderServer([{ text: "Through the gateway." }])
  running.push(server)
  const entity = defineEntity("routed", {
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "", model: "claude-sonnet-4-5", tools: [] })
      await ctx.agent.run()
    },
  })
  const rouse = createTestRouse({ entities: [entity], env: { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: server.url } })
  await rouse.spawn("/routed/one")
  expect(await rouse.ask("/routed/one", "hi")).toBe("Through the gateway.")
  expect(server.requests[0]).toMatchObject({ format: "chat", body: { model: "claude-sonnet-4-5" } })
  expect(rouse.rows("/routed/one", "step")[0]).toMatchObject({ model: "gateway/claude-sonnet-4-5" })
})
