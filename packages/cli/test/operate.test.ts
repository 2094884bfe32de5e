import { afterAll, beforeAll, expect, test } from "vitest"
import { directory, served } from "./harness.ts"
import type { Served } from "./harness.ts"

const AGENTS = `import { defineEntity } from "@rouse/agents"
export const fragile = defineEntity("fragile", {
  attempts: 1,
  handler(ctx, wake) {
    if (wake.messages.some((message) => message.content === "bad")) throw new Error("it broke")
    ctx.reply("fine")
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

test("an observation is set, listed and ended", async () => {
  await server.rouse("spawn", "/fragile/o")
  const flags = ["--on", "join", "--where", '{"tags.team":"x"}']
  const made = await server.rouse("observe", "/fragile/o", '{"type":"fragile"}', "--name", "team", ...flags)
  expect(made.out).toBe('/fragile/o observes {"type":"fragile"} as team\n')
  expect((await server.rouse("observations", "/fragile/o")).out).toMatch(
    /team\s+{"type":"fragile"}\s+join\s+{"tags.team/,
  )
  expect((await server.rouse("unobserve", "/fragile/o", "team")).code).toBe(0)
  expect((await server.rouse("observations", "/fragile/o")).out).toBe("/fragile/o observes nothing\n")
  expect((await server.rouse("observe", "/fragile/o", "/fragile/o")).code).not.toBe(0)
})

test("a schedule is set, listed and removed", async () => {
  await server.rouse("spawn", "/fragile/a")
  const cron = ["--cron", "0 9 * * 1-5", "--timezone", "Europe/Berlin"]
  expect((await server.rouse("schedule", "/fragile/a", "daily", "Write it", ...cron)).out).toMatch(
    /^daily of \/fragile\/a is due in /,
  )
  expect((await server.rouse("schedules", "/fragile/a")).out).toMatch(
    /daily\s+0 9 \* \* 1-5 Europe\/Berlin\s+in .*Write it/,
  )
  const { out } = await server.rouse("schedules", "/fragile/a", "--json")
  expect(JSON.parse(out)).toMatchObject({ name: "daily", content: "Write it", catchUp: "once" })
  expect((await server.rouse("unschedule", "/fragile/a", "daily")).code).toBe(0)
  expect((await server.rouse("schedules", "/fragile/a")).out).toBe("/fragile/a has no schedules\n")
})

test("a bad schedule is one clear line that names the field", async () => {
  await server.rouse("spawn", "/fragile/a")
  const { code, err } = await server.rouse("schedule", "/fragile/a", "x", "hi", "--cron", "61 * * * *")
  expect(code).not.toBe(0)
  expect(err).toMatch(/cron: "61 \* \* \* \*" cannot be read/)
})

test("dead letters are listed, discarded, and given again", async () => {
  await server.rouse("send", "/fragile/b", "bad")
  expect((await server.rouse("dead")).out).toMatch(/\/fragile\/b .*bad .*it broke/)
  expect((await server.rouse("retry", "/fragile/b")).out).toBe("1 message of /fragile/b accepted again\n")
  await server.rouse("send", "/fragile/b", "bad")
  expect((await server.rouse("discard", "/fragile/b")).out).toMatch(/^[12] messages? of \/fragile\/b discarded\n$/)
})

test("a tree is signalled and stopped", async () => {
  await server.rouse("spawn", "/fragile/c")
  expect((await server.rouse("signal", "/fragile/c", "pause", "--tree")).out).toBe(
    "sent pause to /fragile/c and all below it\n",
  )
  expect((await server.rouse("stop", "/fragile/c", "--tree")).out).toBe("/fragile/c and all below it are stopped\n")
})
