import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { WITH_IMPORTS, assistant, directory, rouse, served, start } from "./harness.ts"

describe("a lone file in an empty directory", () => {
  test("with imports of packages that are not installed there", async () => {
    await using place = await directory({ "a.ts": WITH_IMPORTS })
    await using server = await served(place.path, ["dev", "a.ts"])
    expect(server.types).toEqual(["assistant", "picky"])
    expect((await server.rouse("send", "/assistant/one", "hello")).out).toBe("You said: hello\n")
  })

  test("without a single import", async () => {
    await using place = await directory({ "a.ts": assistant() })
    await using server = await served(place.path, ["dev", "a.ts"])
    expect((await server.rouse("send", "/assistant/one", "hello")).out).toBe("You said: hello\n")
    expect(server.running.err()).toBe("")
  })

  test("imports another file by the name it will compile to", async () => {
    await using place = await directory({
      "a.ts": `import "./b.js"\nimport { two } from "./c"\nvoid two\n`,
      "b.ts": assistant("one"),
      "c.ts": `export const two: number = 2\n`,
    })
    await using server = await served(place.path, ["dev", "a.ts"])
    expect(server.types).toEqual(["one"])
  })
})

describe("where entities are found", () => {
  test("without files: agents.ts and agents/*.ts", async () => {
    await using place = await directory({ "agents.ts": assistant("one") })
    await mkdir(join(place.path, "agents"))
    await writeFile(join(place.path, "agents", "two.ts"), assistant("two"))
    await writeFile(join(place.path, "agents", "helper.ts"), "export const help: string = 'no entity'\n")
    await using server = await served(place.path, ["dev"])
    expect(server.types).toEqual(["one", "two"])
  })

  test("nowhere: it serves, and says how to add one", async () => {
    await using place = await directory()
    const serving = start(["dev", "--port", "0"], { cwd: place.path })
    await serving.until("out", /none yet[\s\S]*agents\.ts/)
    serving.child.kill("SIGINT")
    expect((await serving.finished).code).toBe(0)
  })

  test("init, and then dev", async () => {
    await using place = await directory()
    expect((await rouse(["init"], { cwd: place.path })).code).toBe(0)
    await using server = await served(place.path, ["dev"])
    expect((await server.rouse("send", "/assistant/one", "hello")).out).toContain("hello")
    const again = await rouse(["init"], { cwd: place.path })
    expect(again).toMatchObject({
      code: 1,
      out: "",
      err: "rouse: agents.ts exists and nothing was written: choose another directory\n",
    })
  })
})

describe("what cannot be served ends with one clear line", () => {
  test.each<[string, string, RegExp]>([
    ["does not compile", "const a = 1\nconst b: number = = 3\n", /^rouse: a\.ts:2:19: SyntaxError: /],
    ["is not plain TypeScript", `enum Colour { red }\n`, /^rouse: a\.ts:1:1: SyntaxError: .*enum.*plain JavaScript/],
    ["throws", `const a = 1\nthrow new TypeError("boom")\n`, /^rouse: a\.ts:2:7: TypeError: boom$/],
    ["defines nothing", "export const a = 1\n", /^rouse: a\.ts: no entity is defined here: call defineEntity/],
    [
      "needs a package",
      `import "not-installed"\n`,
      /^rouse: a\.ts:1: the package not-installed is not installed: npm install not-installed$/,
    ],
    [
      "imports a missing file",
      `\nimport "./nothing.ts"\n`,
      /^rouse: a\.ts:2: it imports .*nothing\.ts, and there is no such file$/,
    ],
    [
      "has a bad definition",
      `defineEntity("Bad Name", { handler() {} })\n`,
      /^rouse: a\.ts:1:1: .*Bad Name.*name must begin/,
    ],
  ])("a module that %s", async (_what, text, line) => {
    await using place = await directory({ "a.ts": text })
    const { code, out, err } = await rouse(["dev", "a.ts", "--port", "0"], { cwd: place.path })
    expect(err.trimEnd()).toMatch(line)
    expect(err.trimEnd().split("\n")).toHaveLength(1)
    expect({ code, out }).toEqual({ code: 1, out: "" })
  })

  test("two files that define the same type", async () => {
    await using place = await directory({ "a.ts": assistant(), "b.ts": assistant() })
    const { code, err } = await rouse(["dev", "a.ts", "b.ts", "--port", "0"], { cwd: place.path })
    expect({ code, err }).toEqual({
      code: 1,
      err: 'rouse: b.ts: it defines "assistant", and so does a.ts: rename one\n',
    })
  })

  test("a file that is not there", async () => {
    await using place = await directory()
    expect(await rouse(["dev", "none.ts"], { cwd: place.path })).toEqual({
      code: 1,
      out: "",
      err: "rouse: none.ts: there is no such file\n",
    })
  })

  test("a port in use", async () => {
    await using place = await directory({ "a.ts": assistant() })
    await using server = await served(place.path, ["dev", "a.ts"])
    const { port } = new URL(server.url)
    const second = await rouse(["dev", "a.ts", "--port", port, "--data", "other"], { cwd: place.path })
    expect(second).toEqual({
      code: 1,
      out: "",
      err: `rouse: port ${port} is in use: choose another with --port, or --port 0 for any free one\n`,
    })
  })

  test("a data directory that another process owns", async () => {
    await using place = await directory({ "a.ts": assistant() })
    await using server = await served(place.path, ["dev", "a.ts"])
    const second = await rouse(["start", "a.ts", "--port", "0"], { cwd: place.path })
    expect(second.err).toMatch(
      /^rouse: another process owns .*\.rouse: stop the other process, or choose another directory with --data\n$/,
    )
    expect(second.code).toBe(1)
    const doctor = await rouse(["doctor", "--json", "--port", "0"], { cwd: place.path, env: { ROUSE_URL: "" } })
    expect((JSON.parse(doctor.out) as { checks: { name: string; status: string }[] }).checks).toContainEqual(
      expect.objectContaining({ name: "data", status: "bad" }),
    )
    expect(doctor.code).toBe(1)
    expect(server.running.err()).toBe("")
  })

  test("a data directory that is a file", async () => {
    await using place = await directory({ "a.ts": assistant(), data: "text" })
    const { code, err } = await rouse(["dev", "a.ts", "--port", "0", "--data", "data"], { cwd: place.path })
    expect(err).toMatch(/^rouse: .*data/)
    expect(err.trimEnd().split("\n")).toHaveLength(1)
    expect(code).toBe(1)
  })
})

describe("reload", () => {
  const replying = (text: string): string =>
    `import { said } from "./said.ts"\ndefineEntity("assistant", { handler: (ctx) => ctx.reply("${text} " + said) })\n`

  test("an edit anywhere in the import graph counts", async () => {
    await using place = await directory({ "a.ts": replying("first"), "said.ts": 'export const said: string = "one"\n' })
    await using server = await served(place.path, ["dev", "a.ts"])
    expect((await server.rouse("send", "/assistant/one", "x")).out).toBe("first one\n")
    await writeFile(join(place.path, "said.ts"), 'export const said: string = "two"\n')
    await server.running.until("err", /loaded again: assistant/)
    expect((await server.rouse("send", "/assistant/one", "x")).out).toBe("first two\n")
  })

  test("what does not compile is told once, and the old code stays; mended, the new one serves", async () => {
    await using place = await directory({ "a.ts": replying("first"), "said.ts": 'export const said: string = "one"\n' })
    await using server = await served(place.path, ["dev", "a.ts"])
    await writeFile(join(place.path, "a.ts"), "const broken = = 1\n")
    await server.running.until("err", /a\.ts:1:\d+: SyntaxError: .*stays in service/)
    expect((await server.rouse("send", "/assistant/one", "x")).out).toBe("first one\n")
    await writeFile(join(place.path, "a.ts"), "export const nothing = 1\n")
    await server.running.until("err", /a\.ts: no entity is defined here.*stays in service/)
    await writeFile(join(place.path, "a.ts"), replying("mended"))
    await server.running.until("err", /loaded again/)
    expect((await server.rouse("send", "/assistant/one", "x")).out).toBe("mended one\n")
  })

  test("a run under way finishes on the code it began with", async () => {
    const slow = (text: string): string =>
      `defineEntity("assistant", { async handler(ctx) { await new Promise((next) => setTimeout(next, 1500)); ctx.reply("${text}") } })\n`
    await using place = await directory({ "a.ts": slow("old") })
    await using server = await served(place.path, ["dev", "a.ts"])
    const sending = start(["send", "/assistant/one", "x", "--json"], {
      cwd: place.path,
      env: { ROUSE_URL: server.url },
    })
    await sending.until("out", /"accepted"/)
    await writeFile(join(place.path, "a.ts"), slow("new"))
    await server.running.until("err", /loaded again/)
    expect((await sending.finished).out).toContain('"reply":"old"')
    expect((await server.rouse("send", "/assistant/one", "x")).out).toBe("new\n")
  })
})

describe("start", () => {
  test("logs JSON, and stops well on SIGTERM", async () => {
    await using place = await directory({ "a.ts": assistant() })
    await using server = await served(place.path, ["start", "a.ts"])
    expect((await server.rouse("send", "/assistant/one", "hello")).out).toBe("You said: hello\n")
    server.running.child.kill("SIGTERM")
    const { code, out, err } = await server.running.finished
    const lines = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { msg?: string })
    expect(lines.map(({ msg }) => msg).filter((msg) => msg !== undefined)).toEqual(["ready", "stopping", "stopped"])
    expect({ code, err }).toEqual({ code: 0, err: "" })
  })

  test("what was acknowledged is there after a restart", async () => {
    await using place = await directory({ "a.ts": assistant() })
    {
      await using server = await served(place.path, ["start", "a.ts"])
      await server.rouse("send", "/assistant/one", "remember")
    }
    await using server = await served(place.path, ["start", "a.ts"])
    expect((await server.rouse("log", "/assistant/one")).out).toContain("remember")
  })

  test("refuses a host that others reach without tokens", async () => {
    await using place = await directory()
    const { code, err } = await rouse(["start", "--host", "0.0.0.0", "--port", "0"], { cwd: place.path })
    expect(err).toMatch(
      /^rouse: others can reach 0\.0\.0\.0, so tokens are needed: --tokens <file>, ROUSE_TOKENS_FILE or ROUSE_TOKEN\n$/,
    )
    expect(code).toBe(1)
  })

  test("with a token, commands need it", async () => {
    const token = "a-token-of-the-test-0123"
    await using place = await directory({
      "a.ts": assistant(),
      "tokens.json": JSON.stringify({ tokens: [{ name: "me", token, scope: "admin" }] }),
    })
    await using server = await served(place.path, ["start", "a.ts", "--tokens", "tokens.json"])
    const refused = await server.rouse("ps")
    expect(refused.err).toMatch(/^rouse: .*: set ROUSE_TOKEN to a token of that server\n$/)
    expect(refused.code).toBe(1)
    const allowed = await rouse(["ps", "--json"], {
      cwd: place.path,
      env: { ROUSE_URL: server.url, ROUSE_TOKEN: token },
    })
    expect(allowed).toEqual({ code: 0, out: "", err: "" })
    expect(server.running.out() + refused.err).not.toContain(token)
  })

  test("an exception of the author's that nobody caught is logged, and ends the process with 1", async () => {
    await using place = await directory({
      "a.ts": `defineEntity("bomb", { handler() { setTimeout(() => { throw new Error("late boom") }) } })\n`,
    })
    await using server = await served(place.path, ["start", "a.ts"])
    await server.rouse("send", "/bomb/one", "x", "--no-wait")
    const { code, out } = await server.running.finished
    expect(out).toContain("late boom")
    expect(code).toBe(1)
  })
})
