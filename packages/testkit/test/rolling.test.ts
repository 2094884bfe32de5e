import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { createClient } from "@rouse/client"
import type { Client } from "@rouse/client"
import type { ChangeEvent, MessageRow, RunRow, Settled, WakeRow } from "@rouse/protocol"
import postgres from "postgres"
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest"
import { SeededRandom } from "../src/crash/core/random.ts"
import { startProcess } from "../src/crash/process.ts"
import type { Running } from "../src/crash/process.ts"
import { hasPostgres, sharedPostgres } from "../src/postgres.ts"
import { Balancer } from "./support/balancer.ts"

/**
 * Three servers are replaced one after the other by those of a later Rouse, whose first migrates the tables, while clients go on as ever.
 * `ROUSE_ROLLING_SEED` repeats the choices of the load balancer.
 */
const SEED = Number(process.env["ROUSE_ROLLING_SEED"] ?? Date.now() % 1_000_000_000)
const REPLICAS = 3
/** Clients that each wait for an answer before they ask again, and agents that are told things without waiting. */
const ASKERS = 3
const TELLERS = 1
/** Answers before each change. */
const ANSWERS = 25

const running = new Set<Running>()
/** Six processes of the same code: each but the first starts from what one before compiled. */
let compiled = ""
beforeAll(async () => {
  compiled = await mkdtemp(join(tmpdir(), "rouse-rolling-"))
})
afterAll(() => rm(compiled, { recursive: true, force: true }))
afterEach(async () => {
  for (const one of running) if (one.isAlive) await one.kill()
  running.clear()
})

async function begin(url: string, age: "older" | "later", balancer: Balancer): Promise<Running> {
  const file = fileURLToPath(new URL("./support/rolling-server.ts", import.meta.url))
  const server = startProcess({
    file,
    conditions: "@rouse/source",
    args: [url, age],
    env: { NODE_COMPILE_CACHE: compiled },
  })
  running.add(server)
  balancer.add((await server.ready).url)
  return server
}

/** What is sent and what comes of it, until it is told to stop. Nothing is caught: one failed call fails the load. */
class Load {
  readonly #client: Client
  #isOver = false
  readonly answers: { readonly agent: string; readonly content: string; readonly settled: Settled }[] = []
  readonly told: { readonly agent: string; readonly content: string }[] = []

  constructor(client: Client) {
    this.#client = client
  }

  async run(): Promise<void> {
    const askers = Array.from({ length: ASKERS }, (_, n) => this.#asks(`/agent/asked-${n}`))
    const tellers = Array.from({ length: TELLERS }, (_, n) => this.#tells(`/agent/told-${n}`))
    await Promise.all([...askers, ...tellers])
  }

  stop(): void {
    this.#isOver = true
  }

  async #asks(agent: string): Promise<void> {
    await this.#client.spawn(agent)
    for (let n = 0; !this.#isOver; n += 1) {
      const content = `/say word-${n}${n % 3 === 0 ? " and a few more of them\n/slow 20" : ""}`
      this.answers.push({ agent, content, settled: await this.#client.ask(agent, content) })
    }
  }

  async #tells(agent: string): Promise<void> {
    await this.#client.spawn(agent)
    for (let n = 0; !this.#isOver; n += 1) {
      const content = `/say told-${n}`
      await this.#client.send(agent, content, { mode: "queue" })
      this.told.push({ agent, content })
      // As fast as an agent answers, so that some wait in its inbox and not all.
      if (n % 4 === 3) await this.#client.ask(agent, "/say so far")
    }
  }
}

/** The rows of an agent's log as they are at its end. */
async function rowsOf(client: Client, agent: string) {
  const rows = new Map<string, ChangeEvent>()
  for await (const { events } of client.observe(agent, { live: false }))
    for (const event of events) rows.set(`${event.type} ${event.key}`, event)
  const all = (type: string): readonly unknown[] =>
    [...rows.values()].filter((row) => row.type === type).map(({ value }) => value)
  return {
    messages: all("message") as readonly MessageRow[],
    runs: all("run") as readonly RunRow[],
    wakes: all("wake") as readonly WakeRow[],
  }
}

describe.skipIf(!hasPostgres())("a rolling restart onto a later schema", () => {
  test("fails no request of a client that tries again, and loses no run", { timeout: 300_000 }, async () => {
    const database = await sharedPostgres()
    const sql = postgres(database.url, { max: 1, onnotice: () => undefined })
    const balancer = new Balancer(new SeededRandom(SEED))
    const client = createClient({ url: await balancer.listen() })
    const older = [await begin(database.url, "older", balancer)]
    for (let n = 1; n < REPLICAS; n += 1) older.push(await begin(database.url, "older", balancer))
    const version = async () => (await sql`SELECT value FROM rouse.meta WHERE key = 'version'`)[0]?.["value"]
    expect(await version()).toBe("1")

    const load = new Load(client)
    const loaded = load.run()
    const moreAnswers = async (): Promise<void> => {
      const target = load.answers.length + ANSWERS
      const come = vi.waitFor(() => expect(load.answers.length).toBeGreaterThanOrEqual(target), { timeout: 60_000 })
      await Promise.race([come, loaded])
    }
    await moreAnswers()
    for (const old of older) {
      expect(await old.stop(), old.complaints).toBe(0)
      await begin(database.url, "later", balancer)
      expect(await version()).toBe("2")
      await moreAnswers()
    }
    load.stop()
    await loaded
    const why = `seed ${SEED}, ${load.answers.length} answers, ${balancer.refused} refused`
    console.info(why)

    expect(
      load.answers.filter(({ settled }) => settled.status !== "processed"),
      why,
    ).toEqual([])
    for (let n = 0; n < ASKERS; n += 1) {
      const agent = `/agent/asked-${n}`
      const { messages, runs, wakes } = await rowsOf(client, agent)
      const asked = load.answers.filter((one) => one.agent === agent)
      expect(
        messages.map(({ content }) => content),
        why,
      ).toEqual(asked.map(({ content }) => content))
      expect(
        messages.filter(({ status }) => status !== "processed"),
        why,
      ).toEqual([])
      expect(
        runs.map(({ status }) => status),
        why,
      ).toEqual(asked.map(() => "completed"))
      expect(new Set(messages.map(({ run }) => run)), why).toEqual(new Set(runs.map(({ id }) => id)))
      expect(
        wakes.filter(({ outcome }) => outcome === "lost" || outcome === "dead"),
        why,
      ).toEqual([])
    }
    for (let n = 0; n < TELLERS; n += 1) {
      const agent = `/agent/told-${n}`
      await client.ask(agent, "/say the end")
      const { messages, runs } = await rowsOf(client, agent)
      const told = messages.map(({ content }) => String(content)).filter((content) => content.startsWith("/say told"))
      expect(told, why).toEqual(load.told.filter((one) => one.agent === agent).map(({ content }) => content))
      expect(
        messages.filter(({ status }) => status !== "processed"),
        why,
      ).toEqual([])
      expect(
        runs.filter(({ status }) => status !== "completed"),
        why,
      ).toEqual([])
    }
    for (const server of running) {
      if (server.isAlive) expect(await server.stop(), server.complaints).toBe(0)
      expect(server.complaints, why).not.toMatch(/^error/m)
    }
    await balancer.close()
    await sql.end()
    await database.close()
  })
})
