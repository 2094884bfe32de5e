import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { silentLog } from "@rouse/agents/runtime"
import { createClient, type Client } from "@rouse/client"
import { createServer } from "@rouse/server"
import { listen } from "@rouse/server/http"
import { openMemoryStore } from "@rouse/store"
import { nodeWebhooks } from "@rouse/streams/node"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { bundle } from "./bundle.ts"
import { startWorkerd } from "./workerd.ts"

const toClose: (() => Promise<void>)[] = []
let client: Client
let serverUrl = ""

beforeEach(async () => {
  const store = await openMemoryStore({ clock: Date.now })
  const server = createServer({
    store,
    entities: [],
    clock: Date.now,
    random: Math.random,
    defer: (ms, fn) => {
      const timer = setTimeout(fn, ms)
      return () => clearTimeout(timer)
    },
    log: silentLog,
    host: { clock: Date.now, random: Math.random, log: silentLog },
    webhooks: { ...nodeWebhooks({ keepAlive: true }), allowLoopback: true },
  })
  await server.start()
  serverUrl = (await server.listen({ host: "127.0.0.1", port: 0 })).url
  process.env["ROUSE_URL"] = serverUrl
  client = createClient({ url: serverUrl })
  toClose.push(async () => {
    await server.close({ graceMs: 500 })
    await store.close()
  })
})

afterEach(async () => {
  for (const close of toClose.splice(0).toReversed()) await close()
  delete process.env["ROUSE_URL"]
})

/** A wake without tools, and one with a call of a tool: answered in one round trip, and with commits in between. */
async function works(url: string): Promise<void> {
  const types = await client.deploy(url)
  expect(types).toMatchObject([{ name: "parcels", version: "v1", dispatch: { kind: "webhook", url } }])
  await client.spawn("/parcels/one")
  expect(await client.ask("/parcels/one", "hello")).toMatchObject({
    status: "processed",
    reply: expect.stringContaining("hello"),
  })
  const weighed = await client.ask("/parcels/one", '/call weigh {"parcel": "abc"}')
  expect(weighed).toMatchObject({ status: "processed", reply: expect.stringContaining("300") })
  const { rows } = await client.state("/parcels/one", "tool_call")
  expect(rows).toMatchObject([{ value: { name: "weigh", status: "done", output: { grams: 300 } } }])
}

async function serveHere(fetch: (request: Request) => Promise<Response>): Promise<string> {
  const listening = await listen(fetch, { host: "127.0.0.1", port: 0 })
  toClose.push(() => listening.close(100))
  return `${listening.url}/agents`
}

describe("the same agent runs", () => {
  test("in a Hono app on Node", async () => {
    const file = fileURLToPath(new URL("../handlers/hono.ts", import.meta.url))
    const child = spawn(process.execPath, ["--conditions=@rouse/source", file], {
      env: { ...process.env, PORT: "0", ROUSE_URL: serverUrl, NODE_OPTIONS: "" },
      stdio: ["ignore", "pipe", "inherit"],
    })
    toClose.push(async () => void child.kill("SIGKILL"))
    const url = await new Promise<string>((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`the app ended with code ${code}`)))
      child.stdout.setEncoding("utf8").once("data", (line: string) => resolve(line.trim()))
    })
    await works(url)
  })

  test("in a Worker, on workerd", async () => {
    const workerd = await startWorkerd(await bundle("../handlers/worker.ts"), { ROUSE_URL: serverUrl })
    toClose.push(() => workerd.close())
    await works(`${workerd.url}/agents`)
  })

  test("in a function behind an HTTP gateway", async () => {
    const { handler } = await import("../handlers/lambda.ts")
    const url = await serveHere(async (request) => {
      const { statusCode, headers, body } = await handler(
        {
          rawPath: new URL(request.url).pathname,
          headers: Object.fromEntries(request.headers),
          requestContext: { http: { method: request.method } },
          body: Buffer.from(await request.arrayBuffer()).toString("base64"),
          isBase64Encoded: true,
        },
        { getRemainingTimeInMillis: () => 30_000 },
      )
      return new Response(body, { status: statusCode, headers })
    })
    await works(url)
  })

  test("in a route of a Next.js app", async () => {
    const { POST } = await import("../handlers/next.ts")
    await works(await serveHere((request) => POST(request)))
  })
})

/** Grows only with reason: what a cold start on the edge has to read, in bytes. */
const EDGE_BYTES_MAX = 123_000
const EDGE_GZIP_BYTES_MAX = 42_000

test("what the edge loads of the agents package has no built-ins of Node, and is small", async () => {
  const chunks = await bundle("./edge-entry.ts")
  for (const { name, code } of chunks) expect(code.match(/["']node:[a-z_/]+["']/g) ?? [], name).toEqual([])
  // A Worker compiles all it is deployed with at each cold start, also what is loaded lazily.
  expect(chunks.map((chunk) => chunk.isEntry)).toEqual([true])
  const entry = chunks.find((chunk) => chunk.isEntry)?.code ?? ""
  expect(entry.length).toBeGreaterThan(10_000)
  expect(entry.length).toBeLessThan(EDGE_BYTES_MAX)
  expect(gzipSync(entry).length).toBeLessThan(EDGE_GZIP_BYTES_MAX)
})
