import { execFileSync } from "node:child_process"
import { mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as fc from "fast-check"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { EMPTY_OUTPUT, addOutput, outputText } from "../src/core/output-window.ts"
import { workspaceParts } from "../src/core/sandbox-path.ts"
import { RouseError, defineEntity } from "../src/index.ts"
import { localSandbox } from "../src/sandbox-local.ts"
import type { LocalSandboxOptions } from "../src/sandbox-local.ts"
import { removeWorkspace, sandboxTools } from "../src/sandbox.ts"
import type { SandboxOptions } from "../src/sandbox.ts"
import { createTestRouse, scriptedModel } from "../src/testing.ts"
import type { ToolContext } from "../src/tool.ts"

const ENTITY = { url: "/agent/one", type: "agent", id: "one", createdAt: "2026-01-01T00:00:00.000Z" }
let directory: string
let workspaces: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "rouse-sandbox-"))
  workspaces = join(directory, "workspaces")
  await mkdir(workspaces)
  await writeFile(join(directory, "secret"), "the secret")
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** Calls a tool by its name, as the ledger would. */
function sandbox(options: SandboxOptions = {}, local: Partial<LocalSandboxOptions> = {}) {
  const provider = localSandbox({ directory: workspaces, ...local })
  const tools = sandboxTools(provider, options)
  const controller = new AbortController()
  const call = async (name: string, input: object, more: Partial<ToolContext> = {}): Promise<unknown> => {
    const found = tools.find((tool) => tool.name === name)
    const ctx = { entity: ENTITY, signal: controller.signal, attempt: 1, idempotencyKey: "k", ...more } as never
    return await found?.execute(input, ctx)
  }
  return { provider, tools, call, controller }
}

/** Where the files of the agent's workspace are. */
async function root(): Promise<string> {
  const [name = ""] = await readdir(workspaces)
  return join(workspaces, name)
}

const refused = (code: string) => (error: unknown) => RouseError.is(error, code as never)

describe("a workspace", () => {
  test("is written, read, edited, searched and worked in, and stays", async () => {
    const { call } = sandbox()
    expect(await call("write_file", { path: "src/a.txt", content: "one\ntwo\nthree\n" })).toEqual({
      path: "src/a.txt",
      bytes: 14,
    })
    expect(await call("read_file", { path: "src/a.txt" })).toBe("one\ntwo\nthree\n")
    expect(await call("read_file", { path: "./src//a.txt", line: 2, lines: 1 })).toBe("two")
    expect(await call("edit_file", { path: "src/a.txt", old: "two", new: "$& 2" })).toEqual({
      path: "src/a.txt",
      replaced: true,
    })
    expect(await call("shell", { command: "cat src/a.txt; echo oops >&2; exit 3" })).toEqual({
      exitCode: 3,
      stdout: "one\n$& 2\nthree\n",
      stderr: "oops\n",
      timedOut: false,
    })
    await call("shell", {
      command: "mkdir -p node_modules && echo three > node_modules/b && printf 'a\\0three' > binary",
    })
    const three = { path: "src/a.txt", line: 3, text: "three" }
    expect(await sandbox().call("search_files", { pattern: "^th(r|x)ee" })).toEqual({
      matches: [three],
      isPartial: false,
    })
    expect(await call("search_files", { pattern: "th", path: "src" })).toEqual({ matches: [three], isPartial: false })
    expect(await call("search_files", { pattern: "th", path: "src/a.txt" })).toEqual({
      matches: [three],
      isPartial: false,
    })
    await expect(call("search_files", { pattern: "(" })).rejects.toSatisfy(refused("INVALID_ARGS"))
  })

  test("is one agent's alone, or one wake's, and is removed", async () => {
    const { call, provider } = sandbox()
    const wake = sandbox({ workspace: "w1" })
    await call("write_file", { path: "a", content: "agent" })
    await expect(wake.call("read_file", { path: "a" })).rejects.toSatisfy(refused("NOT_FOUND"))
    const again = { entity: { ...ENTITY, createdAt: "2026-02-01T00:00:00.000Z" } } as never
    await expect(call("read_file", { path: "a" }, again)).rejects.toSatisfy(refused("NOT_FOUND"))
    await removeWorkspace(provider, ENTITY)
    await expect(call("read_file", { path: "a" })).rejects.toSatisfy(refused("NOT_FOUND"))
  })

  test("edits what is there once, and knows its own edit when it runs again", async () => {
    const { call } = sandbox()
    await call("write_file", { path: "a", content: "x x" })
    await expect(call("edit_file", { path: "a", old: "x", new: "y" })).rejects.toThrow(/old is 2 times in a/)
    await expect(call("edit_file", { path: "a", old: "z", new: "y" })).rejects.toThrow(/old is 0 times/)
    await call("edit_file", { path: "a", old: "x x", new: "done" })
    expect(await call("edit_file", { path: "a", old: "x x", new: "done" }, { attempt: 2 })).toMatchObject({
      replaced: true,
    })
  })

  test("holds texts of a bounded size", async () => {
    const { call } = sandbox()
    await call("shell", {
      command: "head -c 2000000 /dev/zero | tr '\\0' x > large; printf 'a\\0b' > binary; mkfifo pipe",
    })
    await expect(call("read_file", { path: "large" })).rejects.toSatisfy(refused("TOO_LARGE"))
    await expect(call("read_file", { path: "binary" })).rejects.toSatisfy(refused("UNSUPPORTED_MEDIA_TYPE"))
    await expect(call("read_file", { path: "pipe" })).rejects.toSatisfy(refused("FORBIDDEN"))
    await expect(call("read_file", { path: "." })).rejects.toSatisfy(refused("INVALID_ARGS"))
    await call("shell", { command: "mkdir d" })
    await expect(call("read_file", { path: "d" })).rejects.toSatisfy(refused("FORBIDDEN"))
    await expect(call("write_file", { path: "d", content: "" })).rejects.toSatisfy(refused("FORBIDDEN"))
  })
})

describe("no way out of the workspace", () => {
  test.each(["../secret", "a/../../secret", "/etc/passwd", "..", "C:\\secret", "a\\..\\..\\secret", "\\\\host\\share"])(
    "by the path %s",
    async (path) => {
      const { call } = sandbox()
      for (const [name, input] of [
        ["read_file", { path }],
        ["write_file", { path, content: "mine" }],
        ["edit_file", { path, old: "the", new: "my" }],
        ["search_files", { path, pattern: "." }],
      ] as const) {
        await expect(call(name, input), name).rejects.toSatisfy(refused("FORBIDDEN"))
      }
      expect(await readFile(join(directory, "secret"), "utf8")).toBe("the secret")
    },
  )

  test("by a path with a zero byte, or one that is too long", async () => {
    const { call } = sandbox()
    await expect(call("read_file", { path: "a\0b" })).rejects.toSatisfy(refused("INVALID_ARGS"))
    await expect(call("read_file", { path: "a/".repeat(2_000) })).rejects.toSatisfy(refused("INVALID_ARGS"))
  })

  test("by a link to a file, to a directory, or in the middle of a path", async () => {
    const { call } = sandbox()
    await call("write_file", { path: "a", content: "a" })
    const at = await root()
    await symlink(join(directory, "secret"), join(at, "file"))
    await symlink(directory, join(at, "dir"))
    await symlink("../..", join(at, "up"))
    await symlink(join(directory, "new"), join(at, "dangling"))
    for (const path of ["file", "dir/secret", "up/secret", "dir/new/secret"]) {
      await expect(call("read_file", { path }), path).rejects.toSatisfy(refused("FORBIDDEN"))
      await expect(call("write_file", { path, content: "mine" }), path).rejects.toSatisfy(refused("FORBIDDEN"))
      await expect(call("search_files", { path, pattern: "secret" }), path).rejects.toSatisfy(refused("FORBIDDEN"))
    }
    await expect(call("write_file", { path: "dangling", content: "mine" })).rejects.toSatisfy(refused("FORBIDDEN"))
    await expect(call("search_files", { path: "dir", pattern: "secret" })).rejects.toSatisfy(refused("FORBIDDEN"))
    expect(await call("search_files", { pattern: "the secret" })).toEqual({ matches: [], isPartial: false })
    expect((await readdir(directory)).sort()).toEqual(["secret", "workspaces"])
    expect(await readFile(join(directory, "secret"), "utf8")).toBe("the secret")
  })

  test("by a directory that becomes a link while files are opened", async () => {
    const { call } = sandbox()
    await call("write_file", { path: "d/secret", content: "mine" })
    const at = await root()
    const swap = call("shell", {
      command: `mv d real; for i in $(seq 150); do ln -sfn ${directory} d; rm d; cp -r real d; rm -r d; done; mv real d`,
    })
    let reads = 0
    const race = { isOver: false }
    const reading = (async () => {
      while (!race.isOver) {
        const text = await call("read_file", { path: "d/secret" }).catch(() => "mine")
        await call("write_file", { path: "d/new", content: "mine" }).catch(() => undefined)
        // Empty while it is being copied.
        expect(["", "mine"]).toContain(text)
        reads += 1
      }
    })()
    await swap
    race.isOver = true
    await reading
    expect(reads).toBeGreaterThan(5)
    expect((await stat(at)).isDirectory()).toBe(true)
    expect((await readdir(directory)).sort()).toEqual(["secret", "workspaces"])
  })
})

describe("a command", () => {
  test("ends with its time, and all that it started with it", async () => {
    const { call } = sandbox({ timeoutMs: 300 })
    const ran = await call("shell", { command: "sleep 61 & echo begun; sleep 62" })
    expect(ran).toMatchObject({ exitCode: null, stdout: "begun\n", timedOut: true })
    const background = await call("shell", { command: "sleep 63 >/dev/null 2>&1 & echo done" })
    expect(background).toMatchObject({ exitCode: 0, stdout: "done\n" })
    const left = (): boolean => /sleep 6[123]/.test(execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }))
    await expect.poll(left).toBe(false)
  })

  test("ends when it is interrupted", async () => {
    const { call, controller } = sandbox()
    const running = call("shell", { command: "sleep 64" })
    setTimeout(() => controller.abort(new RouseError("INTERRUPTED", "enough")), 100)
    await expect(running).rejects.toThrow("enough")
  })

  test("is bounded in what it writes, works and opens", async () => {
    const { call } = sandbox({}, { limits: { cpuSeconds: 1, fileMb: 1, memoryMb: 256 } })
    const ran = (await call("shell", { command: "seq 1 100000" })) as { readonly stdout: string }
    expect(ran.stdout.length).toBeLessThan(110_000)
    expect(ran.stdout).toMatch(/^1\n2\n[\s\S]*characters left out[\s\S]*99999\n100000\n$/)
    expect(await call("shell", { command: "yes" })).toMatchObject({ exitCode: null })
    expect(await call("shell", { command: "head -c 5000000 /dev/zero > big; wc -c < big" })).toMatchObject({
      stdout: expect.stringMatching(/^\s*1048576\n$/) as string,
    })
    expect(await call("shell", { command: "while :; do :; done" })).toMatchObject({ timedOut: false, stdout: "" })
    const much = "head -c 600000000 /dev/zero | tail -c 500000000 | wc -c"
    expect(await call("shell", { command: much })).toMatchObject({
      stdout: expect.not.stringContaining("500000000") as string,
    })
  })

  test("finds none of our environment", async () => {
    process.env["ROUSE_TEST_TOKEN"] = "hidden"
    const { call } = sandbox({}, { env: { GIVEN: "yes" } })
    const { stdout } = (await call("shell", { command: "env" })) as { readonly stdout: string }
    delete process.env["ROUSE_TEST_TOKEN"]
    expect(stdout).not.toContain("hidden")
    expect(stdout).toContain("GIVEN=yes")
  })
})

test("in an agent: calls are on the log, and a large file becomes an attachment", async () => {
  const tools = sandboxTools(localSandbox({ directory: workspaces }), { shellEffect: "idempotent" })
  const calls = [
    { tool: "shell", input: { command: "seq 1 20000 > numbers" } },
    { tool: "read_file", input: { path: "numbers" } },
    { tool: "read_file", input: { path: "../../secret" } },
  ]
  const model = scriptedModel([...calls.map((call) => ({ calls: [call as never] })), "Done."])
  const agent = defineEntity("agent", {
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "", model: "scripted", tools })
      await ctx.agent.run()
    },
  })
  const rouse = createTestRouse({ entities: [agent], models: { scripted: model } })
  await rouse.spawn("/agent/one")
  await rouse.ask("/agent/one", "go")
  const [shell, read, out] = rouse.rows("/agent/one", "tool_call")
  expect(shell).toMatchObject({ status: "done", backend: "sandbox", effect: "idempotent", output: { exitCode: 0 } })
  expect(String(read?.output)).toMatch(/^1\n2\n[\s\S]*attachment [0-9a-f]{64}/)
  expect(out).toMatchObject({
    status: "failed",
    error: expect.stringContaining("leads out of the workspace") as string,
  })
  expect(rouse.rows("/agent/one", "attachment")).toHaveLength(1)
})

test("tools have names, effects and rules", () => {
  const { tools } = sandbox({ prefix: "box" })
  expect(tools.map(({ name, effect, parallel }) => [name, effect, parallel])).toEqual([
    ["box_shell", "once", false],
    ["box_read_file", "pure", true],
    ["box_write_file", "idempotent", false],
    ["box_edit_file", "idempotent", false],
    ["box_search_files", "pure", true],
    ["box_attach_file", "idempotent", true],
    ["box_place_file", "idempotent", false],
  ])
  expect(sandbox({ shell: false }).tools.map(({ name }) => name)).not.toContain("shell")
  expect(() => sandbox({ prefix: "no spaces" })).toThrow(/sandboxTools: prefix/)
  expect(() => localSandbox({ directory: "relative" })).toThrow(/localSandbox: directory must be an absolute path/)
  expect(() => localSandbox({ directory: "/x", limits: { cpuSeconds: 0 } })).toThrow(/limits.cpuSeconds/)
})

test("paths stay within, or are refused", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("a", "..", ".", "", "b.c")).map((parts) => parts.join("/")),
      (path) => {
        try {
          expect(workspaceParts(path)).not.toContain("..")
        } catch (error) {
          expect(RouseError.is(error, "FORBIDDEN")).toBe(true)
        }
      },
    ),
  )
})

test("output keeps its beginning and its end", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.integer({ min: 2, max: 20 }), (pieces, max) => {
      const all = pieces.join("")
      const window = pieces.reduce((so, piece) => addOutput(so, piece, max), EMPTY_OUTPUT)
      expect(window.chars).toBe(all.length)
      expect(all.startsWith(window.head)).toBe(true)
      expect(all.endsWith(window.tail)).toBe(true)
      expect(window.head.length + window.tail.length).toBeLessThanOrEqual(max)
      if (all.length <= Math.floor(max / 2)) expect(outputText(window)).toBe(all)
    }),
  )
})
