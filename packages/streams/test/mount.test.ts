import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { openMemoryStore } from "@rouse/store"
import { createStreams, systemClock } from "@rouse/streams"
import { toNodeHandler } from "@rouse/streams/node"
import express from "express"
import { describe, expect, onTestFinished, test, vi } from "vitest"
import { listen } from "./serve.ts"

/** Streams in other people's applications: each a program of its own, whose lines are those of the docs. */

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const BUN = at("../../../node_modules/@oven/bun-linux-x64/bin/bun")
const READY_MS_MAX = 20_000

interface Program {
  readonly name: string
  readonly runtime: string
  /** What the rest of the application answers. */
  readonly elsewhere: { readonly status: number; readonly text: string | undefined }
}

const PROGRAMS: readonly Program[] = [
  { name: "node", runtime: process.execPath, elsewhere: { status: 404, text: undefined } },
  { name: "front", runtime: process.execPath, elsewhere: { status: 404, text: undefined } },
  { name: "express", runtime: process.execPath, elsewhere: { status: 200, text: "mine" } },
  { name: "hono", runtime: process.execPath, elsewhere: { status: 200, text: "mine" } },
  { name: "bun", runtime: BUN, elsewhere: { status: 404, text: undefined } },
]

describe.each(PROGRAMS)("mounted in $name", { timeout: READY_MS_MAX * 2 }, ({ name, runtime, elsewhere }) => {
  // There are machines that Bun is not built for.
  const testThere = test.skipIf(!existsSync(runtime))

  testThere("serves a stream's whole life, and leaves everything else alone", async () => {
    const origin = await start(runtime, name)
    await wholeLife(`${origin}/v1/stream/a/b`)
    await longBodies(`${origin}/v1/stream/long`)
    const answer = await fetch(`${origin}/`)
    expect([answer.status, elsewhere.text && (await answer.text())]).toEqual([elsewhere.status, elsewhere.text])
  })

  test("is what the docs show", async () => {
    const program = await readFile(at(`mounts/${name}.ts`), "utf8")
    const lines = program.split("\n").filter((line) => /streams|openStore/.test(line) && !line.startsWith("import"))
    expect(lines).toHaveLength(3)
    const docs = await readFile(at("../../../docs/streams.md"), "utf8")
    for (const line of lines) expect(docs).toContain(line)
  })
})

test("a middleware at a path, which is taken away from the URL", async () => {
  const store = await openMemoryStore({ clock: Date.now })
  const streams = createStreams({ store, clock: systemClock, random: Math.random })
  const app = express()
  app.use("/v1/stream", toNodeHandler(streams))
  const server = createServer(app)
  const origin = await listen(server)
  onTestFinished(async () => {
    await streams.close()
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
    await store.close()
  })
  await wholeLife(`${origin}/v1/stream/a/b`)
})

/** Runs a program of `mounts` in a directory of its own, until the test is over. */
async function start(runtime: string, name: string): Promise<string> {
  const cwd = await mkdtemp(join(tmpdir(), "rouse-mount-"))
  const port = await freePort()
  const env = { PATH: process.env["PATH"] ?? "", HOME: cwd, PORT: String(port) }
  const child = spawn(runtime, ["--conditions=@rouse/source", at(`mounts/${name}.ts`)], { cwd, env, stdio: "pipe" })
  let said = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text))
  child.stdout.resume()
  onTestFinished(async () => {
    const ended = child.exitCode === null ? once(child, "exit") : undefined
    child.kill("SIGKILL")
    await ended
    await rm(cwd, { recursive: true, force: true })
  })
  const origin = `http://127.0.0.1:${port}`
  await vi.waitFor(
    async () => {
      if (child.exitCode !== null) throw new Error(said)
      await fetch(`${origin}/v1/stream/none`)
    },
    { timeout: READY_MS_MAX, interval: 50 },
  )
  return origin
}

async function freePort(): Promise<number> {
  const server = createServer()
  const url = await listen(server)
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return Number(new URL(url).port)
}

const headers = { "content-type": "application/json" }

async function wholeLife(url: string): Promise<void> {
  expect((await fetch(url, { method: "PUT", headers, body: "[1]" })).status).toBe(201)
  const created = await fetch(url, { method: "PUT", headers: { ...headers, "stream-ttl": "100" } })
  expect(created.status).toBe(409)
  expect((await fetch(url, { method: "POST", headers, body: "2" })).status).toBe(204)
  expect(await (await fetch(url)).json()).toEqual([1, 2])
  expect((await fetch(url, { method: "HEAD" })).headers.get("content-type")).toBe("application/json")
  const live = await fetch(`${url}?offset=-1&live=sse`)
  const text = live.text()
  await fetch(url, { method: "POST", headers: { ...headers, "stream-closed": "true" } })
  expect(await text).toContain("data:[1,2]")
  expect(await text).toContain(`"streamClosed":true`)
  expect((await fetch(url, { method: "DELETE" })).status).toBe(204)
  expect((await fetch(url)).status).toBe(404)
}

async function longBodies(url: string): Promise<void> {
  await fetch(url, { method: "PUT", headers: { "content-type": "text/plain" } })
  const text = "0123456789".repeat(50_000)
  const chunks = new ReadableStream({
    start(controller) {
      for (let from = 0; from < text.length; from += 100_000)
        controller.enqueue(new TextEncoder().encode(text.slice(from, from + 100_000)))
      controller.close()
    },
  })
  const chunked = { method: "POST", headers: { "content-type": "text/plain" }, body: chunks, duplex: "half" } as const
  expect((await fetch(url, chunked)).status).toBe(204)
  expect((await (await fetch(url)).text()).length).toBe(text.length)
}
