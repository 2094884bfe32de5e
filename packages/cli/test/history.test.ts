import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { directory, served } from "./harness.ts"
import type { Served } from "./harness.ts"

const AGENTS = `import { defineEntity } from "@rouse/agents"
export const talker = defineEntity("talker", {
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "", model: "rouse/echo" })
    await ctx.agent.run()
  },
})
`

let place: Awaited<ReturnType<typeof directory>>
let server: Served

beforeAll(async () => {
  place = await directory({ "a.ts": AGENTS })
  server = await served(place.path, ["dev", "a.ts"])
  await server.rouse("send", "/talker/a", "hello")
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await place[Symbol.asyncDispose]()
})

test("a fork is made and answers", async () => {
  expect(await server.rouse("fork", "/talker/a", "--id", "b")).toMatchObject({ code: 0, out: "/talker/b\n" })
  expect((await server.rouse("show", "/talker/b")).out).toMatch(/forked +from \/talker\/a at /)
  const { out } = await server.rouse("fork", "/talker/a", "--id", "c", "-m", "more", "--json")
  expect(JSON.parse(out)).toMatchObject({ entity: { url: "/talker/c" }, forks: { "/talker/a": "/talker/c" } })
  const { code, err } = await server.rouse("fork", "/talker/a", "--at", "nowhere")
  expect({ code: code !== 0, err }).toMatchObject({ code: true, err: expect.stringMatching(/not an offset/) })
})

test("an agent goes to a file and comes back as another", async () => {
  const file = join(place.path, "a.rouse")
  expect((await server.rouse("export", "/talker/a", "-o", file)).code).toBe(0)
  expect((await readFile(file, "utf8")).split("\n")[0]).toContain('"part":"bundle"')
  expect((await server.rouse("import", file, "--as", "/talker/z")).out).toBe("/talker/z\n")
  expect((await server.rouse("send", "/talker/z", "again")).out).toContain("You said: again")
  expect((await server.rouse("import", file)).code).not.toBe(0)
})
