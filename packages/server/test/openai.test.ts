import { defineEntity } from "@rouse/agents"
import { scriptedModel } from "@rouse/agents/testing"
import OpenAI, { APIError } from "openai"
import { afterEach, expect, test } from "vitest"
import { z } from "zod"
import { parseTokens } from "../src/index.ts"
import { Harness } from "./harness.ts"

/** Agents by OpenAI's own client. */

const echo = defineEntity("echo", {
  attempts: 1,
  handler(ctx, wake) {
    const said = wake.messages.map((message) => message.content)
    if (said[0] === "break") throw new Error("it broke")
    ctx.reply(said.length === 1 ? (said[0] ?? null) : [...said])
  },
})
const strict = defineEntity("strict", { args: z.object({ name: z.string() }), handler: (ctx) => ctx.reply("ok") })
const modelled = defineEntity("modelled", {
  async handler(ctx) {
    const model = scriptedModel([
      { text: "Let me see.", calls: [{ tool: "send", input: { to: "/echo/x", content: "hi" } }] },
      "Here it is.",
    ])
    ctx.useAgent({ systemPrompt: "Help.", model, tools: ctx.tools })
    await ctx.agent.run()
  },
})
const TOKEN = "write-token-0123456789"

const open: Harness[] = []
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.close()
})

async function serve(apiKey = TOKEN): Promise<{ harness: Harness; client: OpenAI }> {
  const tokens = parseTokens(JSON.stringify({ tokens: [{ name: "app", token: TOKEN, scope: "write" }] }))
  const harness = await Harness.open({ entities: [echo, strict, modelled], tokens })
  open.push(harness)
  const { url } = await harness.server.listen({ host: "127.0.0.1", port: 0 })
  return { harness, client: new OpenAI({ baseURL: `${url}/openai/v1`, apiKey, maxRetries: 0 }) }
}

const failure = async (work: Promise<unknown>): Promise<APIError> =>
  work.then(
    () => Promise.reject(new Error("it did not fail")),
    (error: unknown) => error as APIError,
  )
const user = (content: string) => ({ role: "user", content }) as const
const assistant = (content: string) => ({ role: "assistant", content }) as const
const auth = { authorization: `Bearer ${TOKEN}` }

test("models are the types", async () => {
  const { client } = await serve()
  const found = await client.models.list()
  expect(found.data.map(({ id }) => id).toSorted()).toEqual(["echo", "modelled", "strict"])
  expect((await client.models.retrieve("echo")).object).toBe("model")
  expect((await failure(client.models.retrieve("none"))).status).toBe(404)
})

test("a conversation is one agent, which is told only what is new", async () => {
  const { harness, client } = await serve()
  const first = await client.chat.completions.create({
    model: "echo",
    user: "anna@example.com",
    messages: [{ role: "system", content: "Be kind." }, user("one")],
  })
  expect(first.choices[0]).toMatchObject({ finish_reason: "stop", message: { role: "assistant", content: "one" } })
  const second = await client.chat.completions.create({
    model: "echo",
    user: "anna@example.com",
    messages: [user("one"), assistant("one"), user("two")],
  })
  expect(second.choices[0]?.message.content).toBe("two")
  const { body } = await harness.call<{ rows: { value: { content: string } }[] }>(
    "GET",
    "/v1/entities/echo/anna~40example.com/state/message",
    undefined,
    auth,
  )
  expect(body.rows.map(({ value }) => value.content)).toEqual(["one", "two"])
  const named = await client.chat.completions.create({
    model: "/echo/b",
    messages: [{ role: "user", content: [{ type: "text", text: "three" }] }],
  })
  expect(named.choices[0]?.message.content).toBe("three")
  const headers = { "x-rouse-conversation": "b" }
  const { data, response } = await client.chat.completions
    .create({ model: "echo", messages: [user("four")] }, { headers })
    .withResponse()
  expect([data.choices[0]?.message.content, response.headers.get("x-rouse-entity")]).toEqual(["four", "/echo/b"])
})

test("without a name it is a new agent, which is told all that was said", async () => {
  const { client } = await serve()
  const made = await client.chat.completions.create({
    model: "echo",
    messages: [user("one"), assistant("uno"), user("two")],
  })
  expect(made.choices[0]?.message.content).toBe("User: one\n\nAssistant: uno\n\nUser: two")
  const named = await client.chat.completions.create({
    model: "echo",
    user: "ben",
    messages: [user("one"), assistant("uno"), user("two")],
  })
  expect(named.choices[0]?.message.content).toBe("User: one\n\nAssistant: uno\n\nUser: two")
})

test("a stream has the text as it comes, and what it used", async () => {
  const { client } = await serve()
  const chunks = await client.chat.completions.create({
    model: "modelled",
    user: "s",
    stream: true,
    stream_options: { include_usage: true },
    messages: [user("go")],
  })
  const seen: OpenAI.ChatCompletionChunk[] = []
  for await (const chunk of chunks) seen.push(chunk)
  expect(seen.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe("Let me see.\n\nHere it is.")
  expect(seen.at(-2)?.choices[0]?.finish_reason).toBe("stop")
  expect(seen.at(-1)?.usage?.total_tokens).toBeGreaterThan(0)
  const whole = await client.chat.completions.stream({ model: "echo", messages: [user("whole")] }).finalContent()
  expect(whole).toBe("whole")
})

test("the same idempotency key is one message", async () => {
  const { harness, client } = await serve()
  const ask = () =>
    client.chat.completions.create(
      { model: "echo", user: "a", messages: [user("once")] },
      { headers: { "idempotency-key": "k1" } },
    )
  const [one, two] = [await ask(), await ask()]
  expect(two.id).toBe(one.id)
  const { body } = await harness.call<{ rows: unknown[] }>("GET", "/v1/entities/echo/a/state/message", undefined, auth)
  expect(body.rows).toHaveLength(1)
})

test("what is wrong is an error that OpenAI's client knows", async () => {
  const { client } = await serve()
  const make = (body: object) =>
    failure(client.chat.completions.create({ model: "echo", messages: [user("x")], ...body } as never))
  const cases: [object, number, string][] = [
    [{ model: "none" }, 404, "model"],
    [{ model: "/none/a" }, 404, "model"],
    [{ messages: [] }, 422, "messages"],
    [{ messages: [assistant("x")] }, 422, "messages"],
    [{ messages: [user(" ")] }, 422, "messages"],
    [{ messages: [user("x"), { role: "tool", tool_call_id: "1", content: "y" }] }, 422, "messages"],
    [{ messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }] }, 422, "messages"],
    [{ messages: [{ role: "robot", content: "x" }] }, 422, "messages"],
    [{ n: 2 }, 422, "n"],
    [{ user: "-x" }, 422, "user"],
    [{ model: "strict", user: "a" }, 422, ""],
  ]
  for (const [body, status, param] of cases) {
    const error = await make(body)
    expect([body, error.status, error.message]).toEqual([body, status, expect.stringContaining(param)])
  }
  const broken = await make({ messages: [user("break")], user: "b" })
  expect([broken.status, broken.code, broken.message]).toEqual([
    500,
    "HANDLER_FAILED",
    expect.stringContaining("it broke"),
  ])
  const streaming = await client.chat.completions.create({
    model: "echo",
    user: "c",
    stream: true,
    messages: [user("break")],
  })
  const read = async (): Promise<void> => {
    for await (const chunk of streaming) expect(chunk.object).toBe("chat.completion.chunk")
  }
  expect((await failure(read())).message).toContain("it broke")
})

test("a key that is not known is refused", async () => {
  const { client } = await serve("another-token-0123456789")
  expect((await failure(client.models.list())).status).toBe(401)
  expect((await failure(client.chat.completions.create({ model: "echo", messages: [user("x")] }))).status).toBe(401)
})
