import { afterAll, beforeAll, expect, test } from "vitest"
import { watch } from "../src/commands/watch.ts"
import { WITH_IMPORTS, directory, served } from "./harness.ts"
import type { Served } from "./harness.ts"
import { Screen, sitting } from "./screen.ts"

let place: Awaited<ReturnType<typeof directory>>
let server: Served

beforeAll(async () => {
  place = await directory({ "a.ts": WITH_IMPORTS })
  server = await served(place.path, ["dev", "a.ts"])
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await place[Symbol.asyncDispose]()
})

test("an agent's timeline is drawn as it grows, until Ctrl-C", async () => {
  await server.rouse("send", "/assistant/one", "# hello\n\n- there")
  const { io, screen, stop } = sitting(server.url, new Screen(80, 20))
  const watching = watch("/assistant/one", {}, io)
  await screen.until(/• there\n\n· completed[^]*● idle .*\/assistant\/one$/)
  await server.rouse("send", "/assistant/one", '/call add {"a":1,"b":2}\n/call wipe {}', "--no-wait")
  await screen.until(/✓ add · pure[^]*→ 3\n‖ wipe · once\n  └ It waits for your approval\.[^]*● waiting for approval/)
  stop.abort()
  expect(await watching).toBe(0)
  expect(screen.text.match(/• there/g)).toHaveLength(1)
  expect(screen.written.endsWith("\u001b[?25h")).toBe(true)
})

test("what lies further back is left out, and said", async () => {
  await server.rouse("send", "/assistant/long", "first")
  await server.rouse("send", "/assistant/long", "second")
  const { io, screen, stop } = sitting(server.url)
  const watching = watch("/assistant/long", { last: 3 }, io)
  const [text] = await screen.until(/^… 3 earlier[^]*second[^]*idle/)
  expect(text).not.toContain("first")
  stop.abort()
  await watching
})

test("a server that goes away and comes back is said, and nothing is missed or told twice", async () => {
  const other = await served(place.path, ["dev", "a.ts", "--data", "other"])
  const port = new URL(other.url).port
  await other.rouse("send", "/assistant/two", "before")
  const { io, screen, stop } = sitting(other.url, new Screen(100, 30))
  const watching = watch("/assistant/two", {}, io)
  await screen.until(/You said: before[^]*idle/)
  other.running.child.kill("SIGKILL")
  await screen.until(/· connection lost, trying again[^]*\n\n\S connection lost/)
  await other[Symbol.asyncDispose]()
  await using back = await served(place.path, ["dev", "a.ts", "--data", "other", "--port", port])
  await screen.until(/· connected again, at offset \S+: nothing was missed/)
  await back.rouse("send", "/assistant/two", "after")
  await screen.until(/You said: after[^]*idle/)
  stop.abort()
  await watching
  expect(screen.text.match(/You said: before/g)).toHaveLength(1)
  expect(screen.text.match(/You said: after/g)).toHaveLength(1)
})
