import { afterAll, beforeAll, expect, test } from "vitest"
import { send } from "../src/commands/send.ts"
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

test("messages, a paste, approvals and leaving", async () => {
  const { io, screen, keyboard } = sitting(server.url, new Screen(90, 40))
  const talking = send("/assistant/talk", undefined, { wait: true }, io)
  await screen.until(/● idle[^]*Enter sends/)
  expect(keyboard.raw).toBe(true)
  keyboard.write("hello\r")
  await screen.until(/› hello\n\nYou said: hello\n\n· completed[^]*● idle/)
  keyboard.write('\u001b[200~/call wipe {}\r\n/call add {"a":1,"b":2}\u001b[201~\r')
  await screen.until(/✓ add[^]*→ 3|‖ wipe[^]*y allow, n deny, e edit[^]*● waiting for approval/)
  await screen.until(/‖ wipe · once\n[^]*y allow, n deny, e edit/)
  keyboard.write("y")
  await screen.until(/✓ wipe · once[^]*allowed by[^]*→ wiped[^]*● idle/)
  keyboard.write("\u0003")
  await screen.until(/Ctrl-C again leaves/)
  keyboard.write("\u0003")
  expect(await talking).toBe(0)
  expect(keyboard.raw).toBe(false)
  expect(screen.written.endsWith("\u001b[?25h")).toBe(true)
  expect(screen.text.match(/You said: hello/g)).toHaveLength(1)
})

test("a run is steered while it works, and interrupted by Ctrl-C", async () => {
  const { io, screen, keyboard, stop } = sitting(server.url, new Screen(90, 40))
  const talking = send("/assistant/busy", undefined, { wait: true }, io)
  await screen.until(/● idle/)
  keyboard.write("/slow 400\u000a/say one two three four five six seven eight nine ten eleven twelve\r")
  await screen.until(/writing[^]*steer ›/)
  keyboard.write("also this\r")
  await screen.until(/, waiting\n› also this/)
  keyboard.write("\u0003")
  await screen.until(/· interrupt by[^]*the run was interrupted/)
  await screen.until(/You said: also this[^]*● idle/)
  stop.abort()
  expect(await talking).toBe(0)
})

test("without an address a person chooses; leaving chooses nothing", async () => {
  const { io, screen, keyboard } = sitting(server.url)
  const choosing = send(undefined, undefined, { wait: true }, io)
  await screen.until(/› a new assistant: Answers and adds\n {2}a new picky/)
  keyboard.write("\u0003")
  expect(await choosing).toBe(130)
  expect(screen.text).toBe("")
  const again = sitting(server.url)
  const talking = send(undefined, undefined, { wait: true }, again.io)
  await again.screen.until(/› a new assistant/)
  again.keyboard.write("\r")
  await again.screen.until(/● idle · \/assistant\/[0-9a-f-]{36}/)
  again.keyboard.write("\u0004")
  expect(await talking).toBe(0)
})

test("where nobody types, it says how it is used", async () => {
  expect(await server.rouse("send")).toMatchObject({
    code: 2,
    err: expect.stringMatching(/say to whom: rouse send \/type\/id/) as string,
  })
})
