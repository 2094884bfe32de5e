import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { directory, served } from "./harness.ts"
import type { Served } from "./harness.ts"

const AGENTS = `import { defineEntity, defineShared } from "@rouse/agents"
import { z } from "zod"
const board = defineShared("board", {
  collections: { tasks: { schema: z.object({ id: z.string(), kind: z.string().optional() }), key: "id", indexes: ["kind"] } },
})
export const filler = defineEntity("filler", {
  async handler(ctx) {
    await ctx.shared("b1", board).tasks.insert({ id: "a", kind: "bug" })
  },
})
`

let place: Awaited<ReturnType<typeof directory>>
let server: Served

beforeAll(async () => {
  place = await directory({ "a.ts": AGENTS })
  server = await served(place.path, ["dev", "a.ts"])
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await place[Symbol.asyncDispose]()
})

test("a shared space is exported, and imported as another", async () => {
  await server.rouse("send", "/filler/two", "go")
  const file = join(place.path, "b1.rouse")
  expect(await server.rouse("export", "shared/b1", "-o", file)).toMatchObject({ code: 0 })
  const { out } = await server.rouse("import", file, "--as", "shared/b2")
  expect(out).toMatch(/^shared\/b2 .*1 rows/)
  expect((await server.rouse("shared", "show", "b2", "tasks")).out).toContain("bug")
  for (const id of ["b1", "b2"]) await fetch(`${server.url}/v1/shared/${id}`, { method: "DELETE" })
})

test("shared spaces are listed, shown, changed and claimed from", async () => {
  expect((await server.rouse("shared", "ls")).out).toBe("There are no shared spaces\n")
  await server.rouse("send", "/filler/one", "go")
  expect((await server.rouse("shared", "ls")).out).toMatch(/b1\s+1\s.*tasks/)
  expect((await server.rouse("shared", "put", "b1", "tasks", '{"id":"b"}')).out).toMatch(/^tasks\/b has version \d+\n$/)
  expect((await server.rouse("shared", "put", "b1", "tasks", '{"kind":"chore"}', "--key", "b")).code).toBe(0)
  const stale = await server.rouse("shared", "put", "b1", "tasks", "{}", "--key", "b", "--expect", "1")
  expect(stale).toMatchObject({ code: 1 })
  expect(stale.err).toContain("has version")
  const shown = await server.rouse("shared", "show", "b1", "tasks", "--where", '{"kind":"chore"}')
  expect(shown.out).toMatch(/b\s+\d+\s+.*chore/)
  const claimed = await server.rouse(
    "shared",
    "claim",
    "b1",
    "tasks",
    "--where",
    '{"kind":"bug"}',
    "--as",
    "ann",
    "--json",
  )
  expect(JSON.parse(claimed.out)).toMatchObject({ key: "a", claim: { holder: "ann" } })
  expect((await server.rouse("shared", "show", "b1", "tasks")).out).toContain("ann, token")
  expect(JSON.parse((await server.rouse("shared", "show", "b1", "--json")).out)).toMatchObject({ id: "b1", rows: 2 })
  expect((await server.rouse("shared", "show", "none")).err).toContain("none")
})
