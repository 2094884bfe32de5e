import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, test } from "vitest"
import { directory, served } from "./harness.ts"

const AGENT = `import { defineEntity, httpTool, secret, tool } from "@rouse/agents"
import { z } from "zod"

const input = z.object({})
const show = tool({
  name: "show",
  description: "Shows a secret and its length",
  input,
  effect: "pure",
  execute: async (_, ctx) => {
    const value = await ctx.secret(secret("MY_KEY"))
    ctx.log.warn("it is " + value)
    return { value, length: value.length }
  },
})
const inside = httpTool({ name: "inside", description: "Calls this machine", input, effect: "once", url: "http://127.0.0.1:9/" })

defineEntity("assistant", {
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "You help.", model: "rouse/echo", tools: [show, inside] })
    await ctx.agent.run()
  },
})
`

test("secrets are from files before the environment, and in no log", async () => {
  await using place = await directory({ "a.ts": AGENT })
  await mkdir(join(place.path, "secrets"))
  await writeFile(join(place.path, "secrets", "MY_KEY"), "from-a-file-0123\n")
  const env = { MY_KEY: "from-the-environment", ROUSE_SECRETS_DIR: join(place.path, "secrets") }
  await using server = await served(place.path, ["start", "a.ts"], env)
  const { out } = await server.rouse("send", "/assistant/one", "/call show {}")
  expect(out).toContain('{"value":"[redacted]","length":16}')
  await server.running.until("out", /it is \[redacted\]/)
  expect(server.running.out() + server.running.err()).not.toContain("from-a-file-0123")
})

test("start lets no tool call this machine, and dev does", async () => {
  await using place = await directory({ "a.ts": AGENT })
  {
    await using server = await served(place.path, ["start", "a.ts"])
    const { out, err } = await server.rouse("send", "/assistant/one", "/call inside {}")
    expect(out + err).toContain("this machine or its network")
  }
  await using server = await served(place.path, ["dev", "a.ts", "--data", "other"])
  const { out, err } = await server.rouse("send", "/assistant/one", "/call inside {}")
  expect(out + err).toContain("could not be reached (ECONNREFUSED)")
})
