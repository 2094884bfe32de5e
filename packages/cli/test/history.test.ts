import { readFile, writeFile } from "node:fs/promises"
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

test("a session is saved, replayed, and told apart from what another handler makes of it", async () => {
  const { path } = place
  expect((await server.rouse("replay", "/talker/a", "--save", "session.json")).code).toBe(0)
  expect(JSON.parse(await readFile(join(path, "session.json"), "utf8"))).toMatchObject({ url: "/talker/a", version: 1 })
  const same = await server.rouse("replay", "/talker/a", "--handler", "a.ts")
  expect(same).toMatchObject({ code: 0, out: expect.stringMatching(/= r000001 .*\nthe same\n$/) })
  await writeFile(join(path, "b.ts"), AGENTS.replace("await ctx.agent.run()", 'ctx.reply("no")'))
  const other = await server.rouse("replay", "session.json", "--handler", "b.ts")
  expect(other.code).toBe(1)
  expect(other.out).toMatch(/≠ r000001[^]*- completed: "You said: hello"[^]*\+ completed: "no"[^]*it went otherwise/)
  expect(JSON.parse((await server.rouse("replay", "session.json", "--handler", "b.ts", "--json")).out)).toMatchObject({
    same: false,
  })
})
