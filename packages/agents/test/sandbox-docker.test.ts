import { mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { RouseError } from "../src/index.ts"
import { dockerSandbox } from "../src/sandbox-docker.ts"
import { removeWorkspace, sandboxTools } from "../src/sandbox.ts"
import type { SandboxOptions } from "../src/sandbox.ts"
import type { ToolContext } from "../src/tool.ts"
import { DockerDaemon } from "./support/docker-daemon.ts"

const ENTITY = { url: "/agent/one", type: "agent", id: "one", createdAt: "2026-01-01T00:00:00.000Z" } as never
let directory: string
let daemon: DockerDaemon

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "rouse-docker-"))
  daemon = await new DockerDaemon(directory).open()
})
afterEach(async () => {
  await daemon[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

function sandbox(options: SandboxOptions = {}, image = "debian:stable") {
  const provider = dockerSandbox({ image, docker: { socketPath: daemon.socketPath } })
  const tools = sandboxTools(provider, options)
  const controller = new AbortController()
  const call = async (name: string, input: object): Promise<unknown> => {
    const ctx = { entity: ENTITY, signal: controller.signal, attempt: 1, idempotencyKey: "k" } as unknown as ToolContext
    return await tools.find((tool) => tool.name === name)?.execute(input, ctx)
  }
  return { provider, call, controller }
}

const refused = (code: string) => (error: unknown) => RouseError.is(error, code as never)

test("a container is made when it is needed, without network or privileges, used again, and removed", async () => {
  const { call, provider } = sandbox()
  expect(await call("shell", { command: "echo out; echo err >&2; exit 3" })).toEqual({
    exitCode: 3,
    stdout: "out\n",
    stderr: "err\n",
    timedOut: false,
  })
  expect(daemon.asked).toEqual([
    "POST /containers/rouse-agent-one-2026-01-01T00-00-00-000Z-…/start",
    "POST /containers/create",
    "POST /containers/rouse-agent-one-2026-01-01T00-00-00-000Z-…/start",
    "POST /containers/rouse-agent-one-2026-01-01T00-00-00-000Z-…/exec",
    "POST /exec/…/start",
    "GET /exec/…/json",
  ])
  const [container] = daemon.containers.values()
  expect(container?.config).toMatchObject({
    Image: "debian:stable",
    WorkingDir: "/workspace",
    HostConfig: {
      NetworkMode: "none",
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      Memory: 512 * 2 ** 20,
      PidsLimit: 256,
    },
  })
  await sandbox().call("shell", { command: "true" })
  expect(daemon.containers.size).toBe(1)
  await removeWorkspace(provider, ENTITY)
  await removeWorkspace(provider, ENTITY)
  expect(daemon.containers.size).toBe(0)
})

test("files are written, read, edited and searched in it", async () => {
  const { call } = sandbox()
  const long = "ünï ".repeat(60_000)
  await call("write_file", { path: "src/it's.txt", content: `one\n${long}\nthree\n` })
  expect(await call("read_file", { path: "src/it's.txt" })).toBe(`one\n${long}\nthree\n`)
  await call("write_file", { path: "src/it's.txt", content: "one\ntwo\n" })
  await call("edit_file", { path: "src/it's.txt", old: "two", new: "three" })
  await call("write_file", { path: "empty", content: "" })
  expect(await call("read_file", { path: "empty" })).toBe("")
  const three = { matches: [{ path: "src/it's.txt", line: 2, text: "three" }], isPartial: false }
  expect(await call("search_files", { pattern: "^th.ee$" })).toEqual(three)
  expect(await call("search_files", { pattern: "^th.ee$", path: "src" })).toEqual(three)
  expect(await call("search_files", { pattern: "^th.ee$", path: "src/it's.txt" })).toEqual(three)
  await expect(call("search_files", { pattern: "(" })).rejects.toSatisfy(refused("INVALID_ARGS"))
  await expect(call("read_file", { path: "none" })).rejects.toSatisfy(refused("NOT_FOUND"))
  await expect(call("read_file", { path: "../x" })).rejects.toSatisfy(refused("FORBIDDEN"))
  await expect(call("write_file", { path: "src", content: "" })).rejects.toSatisfy(refused("FORBIDDEN"))
  expect((await readdir("/tmp")).filter((name) => name.startsWith(".rouse-"))).toEqual([])
  await call("shell", { command: "head -c 2000000 /dev/zero > large" })
  await expect(call("read_file", { path: "large" })).rejects.toSatisfy(refused("TOO_LARGE"))
})

test("a command ends with its time, and the container with an interrupt; it starts again when it is needed", async () => {
  expect(await sandbox({ timeoutMs: 1_000 }).call("shell", { command: "echo begun; exec sleep 71" })).toMatchObject({
    exitCode: null,
    stdout: "begun\n",
    timedOut: true,
  })
  const { call, controller } = sandbox()
  const running = call("shell", { command: "sleep 72" })
  setTimeout(() => controller.abort(new RouseError("INTERRUPTED", "enough")), 200)
  await expect(running).rejects.toThrow("enough")
  expect([...daemon.containers.values()].map(({ isRunning }) => isRunning)).toEqual([false])
  expect(await sandbox().call("shell", { command: "echo back" })).toMatchObject({ stdout: "back\n" })
})

test("what docker refuses is told, and a daemon that is not there", async () => {
  await expect(sandbox({}, "missing").call("shell", { command: "true" })).rejects.toThrow(
    /docker answered 404: No such image/,
  )
  const nobody = dockerSandbox({ image: "x", docker: { socketPath: join(directory, "nobody") } })
  await expect(nobody.open("x")).rejects.toSatisfy(refused("BACKEND_FAILED"))
  expect(() => dockerSandbox({ image: "" })).toThrow(/dockerSandbox: image is required/)
  expect(() => dockerSandbox({ image: "x", memoryMb: -1 })).toThrow(/memoryMb/)
})
