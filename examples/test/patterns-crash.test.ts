import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { createClient } from "@rouse/client"
import type { EntityUrl, Json, RunRow } from "@rouse/protocol"
import { type Running, startProcess } from "@rouse/testkit/crash"
import { type ScenarioOutcome, simulateScenario } from "@rouse/testkit/simulate"
import { afterEach, beforeEach, expect, test } from "vitest"
import { SCENARIOS } from "./pattern-scenarios.ts"

/** The patterns on a server that is killed again and again, for real, and started anew on what the last one left. */

const KILLS = Number(process.env["ROUSE_PATTERN_KILLS"] ?? 8)
/** The longest that a server lives. */
const LIFE_MS_MAX = 120
/** Bounds, not measures. */
const MS_MAX = 300_000
const REPLY_MS_MAX = 120_000

let directory: string
let server: Running

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "rouse-patterns-"))
})
afterEach(async () => {
  if (server.isAlive) await server.kill()
  await rm(directory, { recursive: true, force: true })
})

test(`${KILLS} kills: each pattern ends as on a quiet day`, { timeout: MS_MAX }, async () => {
  // Before anything is asked over a socket: it takes the process's timers for a while.
  const calm: ScenarioOutcome[] = []
  for (const scenario of Object.values(SCENARIOS)) calm.push(await simulateScenario(scenario))
  const port = await freePort()
  const client = createClient({ url: `http://127.0.0.1:${port}` })
  const launch = async (): Promise<void> => {
    const file = fileURLToPath(new URL("serve-patterns.ts", import.meta.url))
    server = startProcess({ file, conditions: "@rouse/source", args: [directory, String(port)] })
    await server.ready
  }
  await launch()
  const asks = Object.values(SCENARIOS).flatMap((scenario) => scenario.asks)
  for (const { to, args = {}, content } of asks) await client.spawn(to, { args, message: content })
  for (let kill = 0; kill < KILLS; kill += 1) {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * LIFE_MS_MAX))
    await server.kill()
    await launch()
  }
  for (const { replies, shared } of calm) {
    for (const [to, reply] of Object.entries(replies)) expect(await replyOf(client, to), to).toEqual(reply)
    for (const [name, rows] of Object.entries(shared)) expect(await rowsOf(client, name), name).toEqual(rows)
  }
})

/** What the first message was answered. */
async function replyOf(client: ReturnType<typeof createClient>, url: EntityUrl): Promise<Json> {
  const signal = AbortSignal.timeout(REPLY_MS_MAX)
  for await (const { events } of client.observe(url, { signal }))
    for (const { type, value } of events) {
      const { status, reply } = (value ?? {}) as Partial<RunRow>
      if (type === "run" && status === "completed") return reply ?? null
    }
  throw new Error(`${url} never replied`)
}

async function rowsOf(client: ReturnType<typeof createClient>, name: string): Promise<readonly Json[]> {
  const [space = "", collection = ""] = name.split("/")
  const { rows } = await client.shared(space).rows(collection)
  return rows.map(({ value }) => value)
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0))
    })
  })
}
