import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { createClient } from "@rouse/client"
import type { Client } from "@rouse/client"
import type { Effect, MessageRow, ToolCallRow } from "@rouse/protocol"
import type { EffectEntry } from "../core/effect-book.ts"
import { SeededRandom } from "../core/random.ts"
import { LedgerClient } from "../ledger-client.ts"
import { startProcess } from "../process.ts"
import type { Running } from "../process.ts"

export interface WorkerCrashOptions {
  /** How often a process is killed: a worker, the server, or both. */
  readonly kills: number
  readonly seed: number
  readonly agents?: number
}

export interface WorkerCrashReport {
  readonly calls: readonly ToolCallRow[]
  readonly violations: readonly string[]
}

const EFFECTS: readonly Effect[] = ["pure", "idempotent", "reconcilable", "once"]
const AGENTS = 6
const KILL_MS_MIN = 150
const KILL_MS_MAX = 700
const QUIET_MS_MAX = 60_000
const VICTIMS = ["worker", "worker", "server", "both"] as const

/**
 * Kills tool workers and their server with `kill -9` at random moments of a run with worker tools of every effect class, starts them
 * again, and judges with an outside ledger what the calls did (P1, P2).
 */
export async function runWorkerCrash(options: WorkerCrashOptions): Promise<WorkerCrashReport> {
  const directory = await mkdtemp(join(tmpdir(), "rouse-worker-crash-"))
  const ledgerProcess = startProcess({ module: "./program/ledger-main", args: [join(directory, "effects.jsonl")] })
  const { url: ledgerUrl } = await ledgerProcess.ready
  const ledger = new LedgerClient(ledgerUrl)
  const house = new House(join(directory, "data"), await freePort(), ledgerUrl)
  try {
    await house.open()
    return await drive(house, ledger, options)
  } finally {
    await house.close()
    ledger.close()
    await ledgerProcess.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

/** The processes under test: a server and two workers. */
class House {
  readonly url: string
  readonly #data: string
  readonly #port: number
  readonly #ledgerUrl: string
  #server: Running | undefined
  #workers: Running[] = []

  constructor(data: string, port: number, ledgerUrl: string) {
    this.#data = data
    this.#port = port
    this.#ledgerUrl = ledgerUrl
    this.url = `http://127.0.0.1:${port}`
  }

  async open(): Promise<void> {
    this.#server = startProcess({ module: "./workers/server-main", args: [this.#data, String(this.#port)] })
    await this.#server.ready
    this.#workers = [this.#worker(0), this.#worker(1)]
    await Promise.all(this.#workers.map((worker) => worker.ready))
  }

  async killWorker(index: number): Promise<void> {
    await this.#workers[index]?.kill()
    this.#workers[index] = this.#worker(index)
  }

  async killServer(): Promise<void> {
    await this.#server?.kill()
    this.#server = startProcess({ module: "./workers/server-main", args: [this.#data, String(this.#port)] })
    await this.#server.ready
  }

  async close(): Promise<void> {
    await Promise.all([...this.#workers, this.#server].map(async (running) => running?.kill()))
  }

  #worker(index: number): Running {
    return startProcess({ module: "./workers/worker-main", args: [this.url, this.#ledgerUrl, `worker-${index}`] })
  }
}

async function drive(house: House, ledger: LedgerClient, options: WorkerCrashOptions): Promise<WorkerCrashReport> {
  const random = new SeededRandom(options.seed)
  const client = createClient({ url: house.url, attempts: 12 })
  const urls = Array.from({ length: options.agents ?? AGENTS }, (_, n) => `/builder/b${n}`)
  for (const url of urls) await client.spawn(url)
  const over = new AbortController()
  const load = Promise.all(
    urls.map(async (url) => {
      for (let round = 0; !over.signal.aborted || round === 0; round++) {
        const calls = EFFECTS.map((effect) => `/call ${effect} {"ref":"${url.slice(-2)}-${round}-${effect}"}`)
        await client.ask(url, `${calls.join("\n")}\n/then\n/say round ${round}`, { timeout: QUIET_MS_MAX })
      }
    }),
  )
  for (let kill = 0; kill < options.kills; kill++) {
    await sleep(KILL_MS_MIN + random.next() * (KILL_MS_MAX - KILL_MS_MIN))
    const victim = random.pick(VICTIMS)
    if (victim !== "server") await house.killWorker(kill % 2)
    if (victim !== "worker") await house.killServer()
  }
  over.abort()
  await load
  return await judged(client, urls, await ledger.report())
}

async function judged(
  client: Client,
  urls: readonly string[],
  effects: readonly EffectEntry[],
): Promise<WorkerCrashReport> {
  const byKey = new Map(effects.map((entry) => [entry.key, entry]))
  const calls: ToolCallRow[] = []
  const violations: string[] = []
  for (const url of urls) {
    for (const { value } of (await client.state(url, "message")).rows) {
      const { id, status } = value as unknown as MessageRow
      if (status !== "processed") violations.push(`${url}: the message ${id} is ${status}`)
    }
    for (const { value } of (await client.state(url, "tool_call")).rows) {
      const call = value as unknown as ToolCallRow
      calls.push(call)
      const fault = faultOf(call, byKey.get(call.idempotencyKey))
      if (fault !== undefined) violations.push(`${url}: ${call.name} ${call.id} is ${call.status} and ${fault}`)
    }
    const left = (await client.state(url, "tool_work")).rows.length
    if (left > 0) violations.push(`${url}: ${left} calls are still with workers`)
  }
  return { calls, violations }
}

/** What a call's end says, against what was done. */
function faultOf(call: ToolCallRow, entry: EffectEntry | undefined): string | undefined {
  const effects = entry?.effects ?? 0
  const executions = entry?.executions ?? 0
  if (call.status === "unknown" && call.effect === "once") return executions > 1 ? "ran twice" : undefined
  if (call.status !== "done") return "should be done"
  if (effects === 0) return "had no effect"
  if (call.effect === "once" && executions > 1) return `ran ${executions} times`
  return effects > 1 && call.effect !== "pure" ? `had its effect ${effects} times` : undefined
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
