import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { NOBODY, WITH_IMPORTS, directory, rouse, served, start } from "./harness.ts"
import type { Served } from "./harness.ts"

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

describe("talking to a server", () => {
  test("send makes the agent and prints the reply alone on standard output", async () => {
    expect(await server.rouse("send", "/assistant/one", "hello there")).toEqual({
      code: 0,
      out: "You said: hello there\n",
      err: "",
    })
  })

  test("send streams: the reply comes in pieces", async () => {
    const sending = start(["send", "/assistant/slow", "/slow 150\n/say one two three four five"], {
      cwd: place.path,
      env: { ROUSE_URL: server.url },
    })
    await sending.until("out", /one/)
    expect(sending.out()).not.toContain("five")
    expect((await sending.finished).out).toBe("one two three four five\n")
  })

  test("tools are told on standard error", async () => {
    const { code, out, err } = await server.rouse("send", "/assistant/tools", '/call add {"a":1,"b":2}')
    expect(code).toBe(0)
    expect(err).toMatch(/✓ add .*→ 3/)
    expect(out).toContain("3")
  })

  test("send --json is one event a line, settled last", async () => {
    const { out } = await server.rouse("send", "/assistant/json", "hello", "--json")
    const lines = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { kind: string; settled?: { status: string; reply: string } })
    expect(lines[0]?.kind).toBe("accepted")
    expect(lines.at(-1)).toMatchObject({ kind: "settled", settled: { status: "processed", reply: "You said: hello" } })
  })

  test("files go with a message, are listed, written and deleted", async () => {
    await writeFile(join(place.path, "cat.png"), "not really")
    const send = await server.rouse("send", "/assistant/files", "see", "--attach", join(place.path, "cat.png"))
    expect(send).toMatchObject({ code: 0, err: "" })
    expect(send.out).toMatch(/You said: see\n\[attachment "cat.png": image\/png, 10 bytes/)
    const listed = await server.rouse("attachments", "/assistant/files")
    const id = /cat\.png +image\/png +10 B +([0-9a-f]{64})/.exec(listed.out)?.[1] ?? ""
    const file = join(place.path, "out.png")
    expect(await server.rouse("attachments", "/assistant/files", id, "-o", file)).toMatchObject({ code: 0, err: "" })
    expect(await readFile(file, "utf8")).toBe("not really")
    expect((await server.rouse("attachments", "/assistant/files", id, "-o", file)).err).toMatch(/is there already/)
    expect((await server.rouse("attachments", "/assistant/files", id, "--delete")).code).toBe(0)
    expect((await server.rouse("attachments", "/assistant/files")).out).toMatch(/has no attachments/)
    expect((await server.rouse("send", "/assistant/files", "x", "-a", "/none")).err).toMatch(
      /--attach: \/none cannot be read/,
    )
  })

  test("a message may come from standard input", async () => {
    const { out } = await rouse(["send", "/assistant/stdin"], {
      cwd: place.path,
      env: { ROUSE_URL: server.url },
      input: "from a pipe\n",
    })
    expect(out).toBe("You said: from a pipe\n")
  })

  test("send to a type that needs arguments says how to spawn it", async () => {
    const { code, err } = await server.rouse("send", "/picky/one", "hello")
    expect(code).toBe(1)
    expect(err).toMatch(/^rouse: there is no \/picky\/one, and picky needs arguments .*rouse spawn \/picky\/one --args/)
    expect(err.trim().split("\n")).toHaveLength(1)
  })

  test("a provider that refuses fails the send", async () => {
    const { code, err } = await server.rouse("send", "/assistant/refused", "/fail 401")
    expect(code).toBe(1)
    expect(err).toMatch(/rouse: the message could not be processed/)
  })

  test("spawn, ps, show, state, log, stop", async () => {
    const spawned = await server.rouse(
      "spawn",
      "/picky/two",
      "--args",
      '{"name":"Ada"}',
      "--tag",
      "team=x",
      "--message",
      "hi",
    )
    expect(spawned).toEqual({ code: 0, out: "/picky/two\n", err: "" })
    const listed = await server.rouse("ps", "--json", "--tag", "team=x")
    expect(JSON.parse(listed.out)).toMatchObject({ url: "/picky/two", type: "picky", tags: { team: "x" } })
    expect((await server.rouse("ps")).out).toMatch(/^AGENT +STATUS +ACTIVE/)
    expect((await server.rouse("show", "/picky/two")).out).toMatch(/args +\{"name":"Ada"\}/)
    expect((await server.rouse("state", "/assistant/one", "notes")).out).toMatch(/hello there/)
    const log = await server.rouse("log", "/picky/two", "--json")
    const events = log.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; offset?: string })
    expect(events.map(({ type }) => type)).toContain("message")
    const after = await server.rouse("log", "/picky/two", "--json", "--from", events.at(-1)?.offset ?? "")
    expect(after).toEqual({ code: 0, out: "", err: "" })
    expect((await server.rouse("stop", "/picky/two")).out).toBe("/picky/two is stopped; its log stays readable\n")
    expect(await server.rouse("send", "/picky/two", "hi")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^rouse: .*stopped/) as string,
    })
  })

  test("spawn without an id makes one up", async () => {
    expect((await server.rouse("spawn", "assistant")).out).toMatch(/^\/assistant\/[A-Za-z0-9._~-]+\n$/)
  })

  test("watch follows until it is stopped", async () => {
    await server.rouse("spawn", "/assistant/watched")
    const watching = start(["watch", "/assistant/watched"], { cwd: place.path, env: { ROUSE_URL: server.url } })
    await server.rouse("send", "/assistant/watched", "look at me", "--no-wait")
    await watching.until("out", /› look at me\nYou said: look at me\n/)
    watching.child.kill("SIGINT")
    expect(await watching.finished).toMatchObject({ code: 0, err: "" })
  })

  test("a call that waits is allowed, and the send that waits goes on", async () => {
    const sending = start(["send", "/assistant/asks", "/call wipe {}"], {
      cwd: place.path,
      env: { ROUSE_URL: server.url },
    })
    const [, call = ""] = await sending.until("err", /waits for you: rouse approve \/assistant\/asks (\S+)/)
    expect((await server.rouse("approve", "/assistant/asks", call, "--note", "go on")).out).toBe(
      `allowed ${call} of /assistant/asks\n`,
    )
    const { code, err } = await sending.finished
    expect(err).toMatch(/allowed by .*: go on\n[\s\S]*✓ wipe .*→ wiped/)
    expect(code).toBe(0)
  })

  test("what waits is listed, and allowed with another input", async () => {
    const sending = start(["send", "/assistant/edits", '/call wipe {"what":"all"}'], {
      cwd: place.path,
      env: { ROUSE_URL: server.url },
    })
    const [, call = ""] = await sending.until("err", /waits for you: rouse approve \/assistant\/edits (\S+)/)
    const listed = await server.rouse("approvals", "--tool", "wipe")
    expect(listed.out).toMatch(/AGENT .*ASKS/)
    expect(listed.out).toContain("/assistant/edits")
    const [line = ""] = (await server.rouse("approvals", "--type", "assistant", "--json")).out.split("\n")
    expect(JSON.parse(line)).toMatchObject({ entity: "/assistant/edits", approval: { call, tool: "wipe" } })
    expect((await server.rouse("approve", "/assistant/edits", call, "--edit", "{")).code).not.toBe(0)
    expect((await server.rouse("approve", "/assistant/edits", call, "--answer", "x")).err).toMatch(/is no question/)
    expect((await server.rouse("approve", "/assistant/edits", call, "--edit", "{}")).code).toBe(0)
    expect((await sending.finished).code).toBe(0)
    expect((await server.rouse("approvals")).out).toBe("nothing waits for a person\n")
  })

  test("signals hold an agent, and let it go on", async () => {
    await server.rouse("spawn", "/assistant/held")
    expect((await server.rouse("signal", "/assistant/held", "pause")).out).toBe("sent pause to /assistant/held\n")
    expect(JSON.parse((await server.rouse("show", "/assistant/held", "--json")).out)).toMatchObject({
      status: "paused",
    })
    await server.rouse("signal", "/assistant/held", "resume")
    expect((await server.rouse("send", "/assistant/held", "hi")).out).toBe("You said: hi\n")
  })

  test("a send that is interrupted says that the message stays accepted", async () => {
    const sending = start(["send", "/assistant/left", "/slow 500\n/say one two three"], {
      cwd: place.path,
      env: { ROUSE_URL: server.url },
    })
    await sending.until("out", /one/)
    sending.child.kill("SIGINT")
    const { code, err } = await sending.finished
    expect(err).toMatch(/a message that was accepted is processed all the same: rouse watch \/assistant\/left\n$/)
    expect(code).toBe(130)
  })

  test("log --follow ends quietly when its reader goes away", async () => {
    await server.rouse("send", "/assistant/piped", "hello")
    const following = start(["log", "/assistant/piped", "--follow", "--json"], {
      cwd: place.path,
      env: { ROUSE_URL: server.url },
    })
    await following.until("out", /message/)
    following.child.stdout.destroy()
    await server.rouse("send", "/assistant/piped", "again")
    const { code, err } = await following.finished
    expect({ code, err }).toEqual({ code: 0, err: "" })
  })

  test("doctor is content with a server that runs here", async () => {
    const { code, out } = await server.rouse("doctor", "--port", new URL(server.url).port)
    expect(out).toMatch(/✓ server/)
    expect(out).toMatch(/in use by a running server/)
    expect(code).toBe(0)
  })

  test("completion knows commands and addresses", async () => {
    await server.rouse("spawn", "/assistant/complete")
    expect((await server.rouse("__complete", "--", "show", "/assistant/comp")).out).toBe("/assistant/complete\n")
  })

  test.each<[string, readonly string[], number, RegExp]>([
    ["an unknown type", ["spawn", "nobody"], 1, /^rouse: .*"nobody".*assistant, picky/],
    [
      "an unknown agent",
      ["show", "/assistant/nobody"],
      1,
      /^rouse: .*\/assistant\/nobody.*`rouse ps` lists the agents/,
    ],
    ["state of an unknown agent", ["state", "/assistant/nobody"], 1, /^rouse: .*\/assistant\/nobody/],
    ["the log of an unknown agent", ["log", "/assistant/nobody"], 1, /^rouse: /],
    ["arguments that are not JSON", ["spawn", "picky", "--args", "{name:Ada}"], 2, /^rouse: --args is not JSON/],
    ["arguments of the wrong kind", ["spawn", "/picky/wrong", "--args", '{"name":1}'], 1, /^rouse: .*name/],
    ["an address that is none", ["send", "assistant", "hi"], 2, /^rouse: "assistant" is not an address/],
    ["a bad offset", ["log", "/assistant/one", "--from", "rubbish"], 1, /^rouse: /],
    ["a call that does not wait", ["approve", "/assistant/one", "r000009-s0001-p000"], 1, /^rouse: /],
    ["a signal that cannot be", ["signal", "/assistant/one", "Not A Signal"], 1, /^rouse: .*signal/],
    ["help of an unknown command", ["help", "nope"], 2, /^rouse: unknown command 'nope': see `rouse help`/],
    ["an unknown command", ["pss"], 2, /^rouse: unknown command 'pss' \(Did you mean ps\?\): see `rouse help`/],
    ["no message", ["send", "/assistant/one"], 2, /^rouse: there is no message/],
    ["an unknown option", ["ps", "--zzz"], 2, /^rouse: unknown option '--zzz': see `rouse help ps`/],
  ])("%s is one clear line", async (_what, args, code, line) => {
    const finished = await server.rouse(...args)
    expect(finished.err).toMatch(line)
    expect(finished.err.trimEnd().split("\n")).toHaveLength(1)
    expect(finished.code).toBe(code)
    expect(finished.out).toBe("")
  })
})

test("a server that is not there is one clear line", async () => {
  const { code, err } = await rouse(["ps"], { cwd: place.path })
  expect(err).toBe(
    `rouse: cannot reach ${NOBODY} (ECONNREFUSED): start a server with \`rouse dev\`, or set ROUSE_URL\n`,
  )
  expect(code).toBe(1)
})
