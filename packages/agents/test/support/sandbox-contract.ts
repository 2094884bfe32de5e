import { execFileSync } from "node:child_process"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { RouseError } from "../../src/index.ts"
import { removeWorkspace, sandboxTools, sweepWorkspaces } from "../../src/sandbox.ts"
import type { SandboxOptions, SandboxProvider } from "../../src/sandbox.ts"
import type { ToolContext } from "../../src/tool.ts"

/** A provider's world: where its sandboxes are, for as long as the tests run. */
export interface SandboxWorld extends AsyncDisposable {
  /** A provider as another process would make it: with nothing in memory. */
  provider(): SandboxProvider
}

const AT = "2026-01-01T00:00:00.000Z"

export function agentNamed(id: string): { readonly url: string; readonly createdAt: string } {
  return { url: `/agent/${id}`, createdAt: AT }
}

/** Calls the tools of a provider by their names, as the ledger would in one wake of the agent `id`. */
export function wakeOf(provider: SandboxProvider, id: string, options: SandboxOptions = {}) {
  const tools = sandboxTools(provider, options)
  const controller = new AbortController()
  const call = async (name: string, input: object): Promise<unknown> => {
    const entity = agentNamed(id)
    const secret = async (): Promise<string> => "resolved-secret-key"
    const ctx = { entity, signal: controller.signal, attempt: 1, idempotencyKey: "k", secret } as unknown as ToolContext
    return await tools.find((tool) => tool.name === name)?.execute(input, ctx)
  }
  return { call, controller }
}

export const refused = (code: string) => (error: unknown) => RouseError.is(error, code as never)

export const isRunning = (command: string): boolean =>
  execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })
    .split("\n")
    .some((line) => line === command)

/** What every provider does. @param open Makes the world; `number` is its own among those of this machine. */
export function sandboxContract(name: string, number: number, open: () => Promise<SandboxWorld>): void {
  describe(`${name}: the contract of sandboxes`, () => {
    let world: SandboxWorld
    beforeAll(async () => {
      world = await open()
    })
    afterAll(() => world?.[Symbol.asyncDispose]())
    const wake = (id: string, options?: SandboxOptions) => wakeOf(world.provider(), id, options)
    /** A command that is no other's on this machine. */
    const nap = (kind: number): string => `sleep ${9_000 + number * 10 + kind}`

    test("a command has its outputs and its exit code", async () => {
      expect(await wake("run").call("shell", { command: "echo 'it''s out'; echo err >&2; exit 3" })).toEqual({
        exitCode: 3,
        stdout: "its out\n",
        stderr: "err\n",
        timedOut: false,
      })
      expect(await wake("run").call("shell", { command: "printf '%s\\n' \"ünï 'q' $HOME\" | wc -l" })).toMatchObject({
        exitCode: 0,
        stdout: expect.stringMatching(/^\s*1\n$/) as string,
      })
    })

    test("a workspace is found again in the next wakes, with its files", async () => {
      await wake("again").call("write_file", { path: "src/it's ünï.txt", content: "one\ntwo\nthree\n" })
      expect(
        await wake("again").call("shell", { command: 'cat "src/it\'s ünï.txt"; echo four >> src/more' }),
      ).toMatchObject({
        stdout: "one\ntwo\nthree\n",
      })
      expect(await wake("again").call("read_file", { path: "src/more" })).toBe("four\n")
    })

    test("files are read, replaced, edited and searched", async () => {
      const { call } = wake("files")
      const long = "ünï ".repeat(30_000)
      await call("write_file", { path: "a/b/c.txt", content: `one\n${long}\nthree\n` })
      expect(await call("read_file", { path: "a/b/c.txt" })).toBe(`one\n${long}\nthree\n`)
      await call("write_file", { path: "a/b/c.txt", content: "one\ntwo\n" })
      await call("edit_file", { path: "a/b/c.txt", old: "two", new: "three" })
      await call("write_file", { path: "empty", content: "" })
      expect(await call("read_file", { path: "empty" })).toBe("")
      const three = { matches: [{ path: "a/b/c.txt", line: 2, text: "three" }], isPartial: false }
      expect(await call("search_files", { pattern: "^th.ee$" })).toEqual(three)
      expect(await call("search_files", { pattern: "^th.ee$", path: "a" })).toEqual(three)
      expect(await call("search_files", { pattern: "^th.ee$", path: "a/b/c.txt" })).toEqual(three)
      expect(await call("search_files", { pattern: "nowhere" })).toEqual({ matches: [], isPartial: false })
    })

    test("what cannot be is refused, and says why", async () => {
      const { call } = wake("refused")
      await call("shell", { command: "mkdir d; head -c 2000000 /dev/zero > large; printf 'a\\0b' > binary" })
      await expect(call("search_files", { pattern: "(" })).rejects.toSatisfy(refused("INVALID_ARGS"))
      await expect(call("search_files", { pattern: "x", path: "none" })).rejects.toSatisfy(refused("NOT_FOUND"))
      await expect(call("read_file", { path: "none" })).rejects.toSatisfy(refused("NOT_FOUND"))
      await expect(call("read_file", { path: "large" })).rejects.toSatisfy(refused("TOO_LARGE"))
      await expect(call("read_file", { path: "binary" })).rejects.toSatisfy(refused("UNSUPPORTED_MEDIA_TYPE"))
      await expect(call("write_file", { path: "d", content: "" })).rejects.toSatisfy(refused("FORBIDDEN"))
      for (const path of ["../x", "/etc/passwd", "a/../../x"]) {
        await expect(call("read_file", { path }), path).rejects.toSatisfy(refused("FORBIDDEN"))
        await expect(call("write_file", { path, content: "" }), path).rejects.toSatisfy(refused("FORBIDDEN"))
      }
    })

    test("bytes go in and come out as they are", async () => {
      const workspace = await world.provider().open("bytes")
      const bytes = Uint8Array.from({ length: 300_000 }, (_, at) => (at * 31 + (at >> 8)) % 256)
      await workspace.write("deep/bytes.bin", bytes)
      const read = await workspace.read("deep/bytes.bin", 1_000_000)
      expect(Buffer.compare(Buffer.from(read), Buffer.from(bytes))).toBe(0)
      await world.provider().remove("bytes")
    })

    test("a command ends with its time, and with it what it started", async () => {
      const command = `${nap(1)} & echo begun; ${nap(2)}`
      expect(await wake("time", { timeoutMs: 1_000 }).call("shell", { command })).toMatchObject({
        exitCode: null,
        stdout: "begun\n",
        timedOut: true,
      })
      await expect.poll(() => isRunning(nap(1)) || isRunning(nap(2))).toBe(false)
    })

    test("an interrupt ends a command, and the workspace goes on", async () => {
      const { call, controller } = wake("interrupt")
      await call("write_file", { path: "kept", content: "kept" })
      const running = call("shell", { command: `${nap(3)} & ${nap(4)}` })
      running.catch(() => undefined)
      await expect.poll(() => isRunning(nap(4)), { timeout: 10_000 }).toBe(true)
      controller.abort(new RouseError("INTERRUPTED", "enough"))
      await expect(running).rejects.toThrow("enough")
      await expect.poll(() => isRunning(nap(3)) || isRunning(nap(4)), { timeout: 10_000 }).toBe(false)
      expect(await wake("interrupt").call("shell", { command: "cat kept" })).toMatchObject({
        stdout: "kept" + lineEnd(),
      })
    })

    /** One service ends the last line where the command did not. */
    const lineEnd = (): string => (name === "Daytona" ? "\n" : "")

    test("of a long output the beginning and the end stay", async () => {
      const { stdout } = (await wake("long").call("shell", { command: "seq 1 40000" })) as { readonly stdout: string }
      expect(stdout.length).toBeLessThan(110_000)
      expect(stdout).toMatch(/^1\n2\n[\s\S]*characters left out[\s\S]*39999\n40000\n$/)
    })

    test("two wakes that need it at once have one workspace", async () => {
      const writes = ["one", "two", "three"].map((path) => wake("once").call("write_file", { path, content: path }))
      await Promise.all(writes)
      expect(await wake("once").call("shell", { command: "cat one two three; echo" })).toMatchObject({
        stdout: "onetwothree\n",
      })
    })

    test("it is one agent's alone, or one wake's, and is removed", async () => {
      await wake("mine").call("write_file", { path: "a", content: "mine" })
      await expect(wake("yours").call("read_file", { path: "a" })).rejects.toSatisfy(refused("NOT_FOUND"))
      await expect(wake("mine", { workspace: "w1" }).call("read_file", { path: "a" })).rejects.toSatisfy(
        refused("NOT_FOUND"),
      )
      await removeWorkspace(world.provider(), agentNamed("mine"))
      await removeWorkspace(world.provider(), agentNamed("mine"))
      await expect(wake("mine").call("read_file", { path: "a" })).rejects.toSatisfy(refused("NOT_FOUND"))
    })

    test("what nobody wants any more is swept, where it can be listed", async () => {
      const provider = world.provider()
      if (provider.list === undefined)
        return expect(sweepWorkspaces(provider, () => true)).rejects.toSatisfy(refused("INVALID_ARGS"))
      await wake("swept", { workspace: "w1" }).call("write_file", { path: "a", content: "a" })
      await wake("kept").call("write_file", { path: "a", content: "kept" })
      const swept = await sweepWorkspaces(provider, ({ url }) => url !== "/agent/swept")
      expect(swept).toEqual([{ url: "/agent/swept", createdAt: AT, workspace: "w1" }])
      expect(await provider.list()).toContain(`/agent/kept@${AT}`)
      expect(await provider.list()).not.toContain(`/agent/swept@${AT}/w1`)
      expect(await wake("kept").call("read_file", { path: "a" })).toBe("kept")
    })
  })
}
