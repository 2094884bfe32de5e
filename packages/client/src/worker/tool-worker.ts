import { RouseError } from "@rouse/protocol"
import type { ToolClaim, ToolClaims } from "@rouse/protocol"
import { retryDelayMs } from "../core/backoff.ts"
import { createTransport } from "../transport.ts"
import type { Transport } from "../transport.ts"
import type { ClientOptions } from "../options.ts"
import { RunningCall } from "./running-call.ts"
import type { WorkerLog, WorkerTool } from "./tool.ts"

export interface ToolWorkerOptions extends Omit<ClientOptions, "url" | "attempts"> {
  /** The server's base, for example `http://127.0.0.1:4437`. */
  readonly server: string
  /** How it is called on the log; made up when absent. */
  readonly name?: string
  /** Queues to take calls from; `default` when absent. */
  readonly queues?: readonly string[]
  /** What it can run, by the tools' names. */
  readonly tools: Readonly<Record<string, WorkerTool>>
  /** Calls that it runs at once; 8 when absent. */
  readonly capacity?: number
  readonly log?: WorkerLog
}

export interface ToolWorker {
  /** Calls under way. */
  readonly active: number
  /** Takes no more calls, and waits for those under way; after `graceMs` it aborts them and gives them back. */
  close(options?: { readonly graceMs?: number }): Promise<void>
}

const CAPACITY = 8
const CAPACITY_MAX = 100
const GRACE_MS = 30_000
/** How long one request for calls waits. */
const WAIT_MS = 25_000

const silent: WorkerLog = { info: () => undefined, warn: () => undefined }

/**
 * Takes tool calls from a Rouse server's queues and runs them here: see `workerTool` of `@rouse/agents`. It begins at once, and goes on
 * through lost connections and restarts of the server until it is closed.
 *
 * @throws {RouseError} `INVALID_ARGS` naming the option that is wrong; `BAD_REQUEST` when `server` is not an HTTP address.
 * @example
 * const worker = createToolWorker({
 *   server: "http://127.0.0.1:4437",
 *   tools: { build: async ({ ref }: { ref: string }, { signal, progress }) => await build(ref, signal, progress) },
 * })
 * @see docs/workers.md
 */
export function createToolWorker(options: ToolWorkerOptions): ToolWorker {
  check(options)
  const { server, capacity: _, name: __, tools: ___, queues: ____, log: _____, ...rest } = options
  const transport = createTransport({ ...rest, url: server, attempts: 1 })
  return new Loop(options, transport)
}

function check({ tools, capacity, queues }: Partial<ToolWorkerOptions>): void {
  const fail = (field: string, rule: string): never => {
    throw new RouseError("INVALID_ARGS", `createToolWorker: ${field} ${rule}`, { details: { field } })
  }
  if (typeof tools !== "object" || tools === null || Object.keys(tools).length === 0)
    fail("tools", "must name at least one tool")
  for (const [tool, work] of Object.entries(tools ?? {})) {
    const execute: unknown = typeof work === "object" && work !== null ? work.execute : work
    if (typeof execute !== "function") fail(`tools.${tool}`, "must be a function, or have one as execute")
  }
  if (capacity !== undefined && !(Number.isInteger(capacity) && capacity >= 1 && capacity <= CAPACITY_MAX))
    fail("capacity", `must be a whole number from 1 to ${CAPACITY_MAX}`)
  if (queues !== undefined && queues.length === 0) fail("queues", "must name at least one queue")
}

/**
 * The worker's loop: `claim ──▶ running ──▶ claim …`, never more calls than it has room for.
 *
 * 1. A claim is asked for only while there is room, for as many calls as there is room for, of each tool too.
 * 2. A call runs until its result is taken, or its claim is lost.
 */
class Loop implements ToolWorker {
  readonly #options: ToolWorkerOptions
  readonly #transport: Transport
  readonly #name: string
  readonly #running = new Set<RunningCall>()
  readonly #stop = new AbortController()
  #freed: () => void = () => undefined
  readonly #loop: Promise<void>
  #closed: Promise<void> | undefined

  constructor(options: ToolWorkerOptions, transport: Transport) {
    this.#options = options
    this.#transport = transport
    this.#name = options.name ?? `worker-${transport.newKey().slice(0, 8)}`
    this.#loop = this.#run()
  }

  get active(): number {
    return this.#running.size
  }

  close({ graceMs = GRACE_MS } = {}): Promise<void> {
    this.#closed ??= this.#end(graceMs)
    return this.#closed
  }

  async #end(graceMs: number): Promise<void> {
    this.#stop.abort(new RouseError("SHUTTING_DOWN", "the worker shuts down"))
    this.#freed()
    await this.#loop
    const over = new AbortController()
    const done = Promise.all([...this.#running].map((call) => call.ended))
    const late = this.#transport.clock.sleep(graceMs, over.signal).then(
      () => "late" as const,
      () => "done" as const,
    )
    if ((await Promise.race([done.then(() => "done" as const), late])) === "late") {
      for (const call of this.#running) call.giveUp()
    }
    await done
    over.abort()
  }

  async #run(): Promise<void> {
    const { log = silent } = this.#options
    for (let failures = 0; !this.#stop.signal.aborted;) {
      const room = (this.#options.capacity ?? CAPACITY) - this.#running.size
      const tools = this.#rooms(room)
      if (Object.keys(tools).length === 0) {
        await new Promise<void>((resolve) => {
          this.#freed = resolve
        })
        continue
      }
      try {
        const askedAtMs = this.#transport.clock.nowMs()
        for (const claim of await this.#claim(room, tools)) this.#begin(claim, askedAtMs)
        failures = 0
      } catch (error) {
        if (this.#stop.signal.aborted) return
        failures += 1
        if (failures === 1) log.warn("no calls could be claimed; trying again", { error: String(error) })
        const random = (this.#options.random ?? Math.random)()
        await this.#transport.clock.sleep(retryDelayMs(failures, random), this.#stop.signal).catch(() => undefined)
      }
    }
  }

  async #claim(capacity: number, tools: Readonly<Record<string, number>>): Promise<readonly ToolClaim[]> {
    const { queues } = this.#options
    const body = { worker: this.#name, capacity, tools, waitMs: WAIT_MS, ...(queues ? { queues } : {}) }
    const { signal } = this.#stop
    return (await this.#transport.json<ToolClaims>({ method: "POST", path: "/v1/tool-claims", body, signal })).claims
  }

  /** How many calls of each tool there is room for; tools with none are left out. */
  #rooms(room: number): Readonly<Record<string, number>> {
    const rooms: Record<string, number> = {}
    for (const [name, tool] of Object.entries(this.#options.tools)) {
      const own = typeof tool === "function" ? undefined : tool.capacity
      const busy = [...this.#running].filter((call) => call.tool === name).length
      const free = Math.min(room, own === undefined ? room : own - busy)
      if (free > 0) rooms[name] = free
    }
    return rooms
  }

  #begin(claim: ToolClaim, askedAtMs: number): void {
    const tool = this.#options.tools[claim.tool]
    if (tool === undefined) return
    const log = this.#options.log ?? silent
    const call = new RunningCall({ claim, tool, transport: this.#transport, log, askedAtMs })
    this.#running.add(call)
    void call.ended.then(() => {
      this.#running.delete(call)
      this.#freed()
    })
  }
}
