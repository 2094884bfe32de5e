import { createWorker, defineEntity, secret, tool } from "@rouse/agents"
import type { ToolCallRow } from "@rouse/protocol"
import { expect, onTestFinished, test } from "vitest"
import { z } from "zod"
import { Harness } from "./harness.ts"
import { fetchOf, Network } from "./support/remote.ts"

const URL_1 = "http://127.0.0.1:1/agents"
const KEY = "a-key-of-nine-words"

/** Uses its key when it is told to, and repeats what it is told: its key too, when it once heard it from a careless service. */
const clerk = defineEntity("clerk", {
  async handler(ctx, wake) {
    const [message] = wake.messages
    if (message?.content === "use it") await ctx.secret(secret("CLERK"))
    ctx.reply(message?.content === "use it" ? "used" : `I heard ${KEY}`)
  },
})

const files = defineEntity("files", {
  async handler(ctx) {
    const key = tool({
      name: "key",
      description: "Shows its key",
      input: z.object({}),
      effect: "pure",
      execute: async (_, tools) => await tools.secret(secret("CLERK")),
    })
    ctx.useAgent({ systemPrompt: "", model: "rouse/echo", tools: [key] })
    await ctx.agent.run()
  },
})

async function serve(env?: () => Record<string, string>): Promise<Harness> {
  const network = new Network()
  const harness = await Harness.open({ entities: [], endpoints: network.webhooks })
  onTestFinished(() => harness.close())
  const handler = network.serve(URL_1, () => harness, {
    entities: [clerk, files],
    ...(env === undefined ? { env: {}, secrets: (name: string) => (name === "CLERK" ? KEY : undefined) } : {}),
  })
  if (env !== undefined) network.endpoints.set(URL_1, (request) => handler(request, { env: env() }))
  await harness.call("POST", "/v1/types", { url: URL_1 })
  await harness.spawn("/clerk/a")
  return harness
}

test("what one wake resolved is taken out of what the next one writes", async () => {
  const harness = await serve()
  expect(await harness.ask("/clerk/a", "use it")).toMatchObject({ reply: "used" })
  expect(await harness.ask("/clerk/a", "say it")).toMatchObject({ reply: "I heard [redacted]" })
})

test("also where the runtime makes the variables anew for each request", async () => {
  const harness = await serve(() => ({ CLERK: KEY }))
  await harness.ask("/clerk/a", "use it")
  expect(await harness.ask("/clerk/a", "say it")).toMatchObject({ reply: "I heard [redacted]" })
})

test("a resolver of the handler's own finds the secrets of tools", async () => {
  const harness = await serve()
  await harness.spawn("/files/a")
  await harness.ask("/files/a", "/call key")
  const [call] = await harness.rows<ToolCallRow>("/files/a", "tool_call")
  expect(call?.value).toMatchObject({ status: "done", output: "[redacted]" })
})

test("a worker that pulls has one too", async () => {
  const harness = await Harness.open({ entities: [] })
  onTestFinished(() => harness.close())
  const worker = createWorker({
    server: "http://localhost",
    fetch: fetchOf(() => harness),
    entities: [clerk],
    env: {},
    secrets: () => KEY,
  })
  onTestFinished(() => worker.stop({ graceMs: 100 }))
  await harness.until(async () => (await harness.call("GET", "/v1/types/clerk")).status === 200, "registered")
  await harness.spawn("/clerk/a")
  await harness.ask("/clerk/a", "use it")
  expect(await harness.ask("/clerk/a", "say it")).toMatchObject({ reply: "I heard [redacted]" })
})
