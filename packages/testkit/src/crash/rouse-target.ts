import { join } from "node:path"
import type { EntityPage, EntitySummary, ObservationList, Receipt, Settled, Spawned } from "@rouse/protocol"
import { entityUrl } from "@rouse/protocol"
import { openStore } from "@rouse/store"
import type { Store } from "@rouse/store"
import type { EntityLog, RestingEntity } from "./core/history.ts"
import { AGENT, SINK } from "./core/work.ts"
import { HttpClient } from "./http.ts"
import type { Call, HttpOptions, Reply } from "./http.ts"
import { startProcess } from "./process.ts"
import type { Running } from "./process.ts"
import type { Plant } from "./program/plants.ts"
import { NotAccepted } from "./target.ts"
import type { Accepted, Outgoing, Target } from "./target.ts"

const PAGE = 1_000
const WAIT = "wait=2s"
const DELAY_MS = 60

export interface RouseTargetOptions {
  /** Where the data directory and the compile cache go. */
  readonly directory: string
  readonly ledgerUrl: string
  /** The Postgres that the data is in; the data directory otherwise. */
  readonly database?: string
  /** How it is spoken to. */
  readonly http?: HttpOptions
  /** A mistake to plant. */
  readonly plant?: Plant
}

/** Rouse itself: the program in `program/`, in a process of its own, over HTTP. */
export class RouseTarget implements Target {
  readonly name: string = "rouse"
  readonly #options: RouseTargetOptions
  readonly #data: string
  readonly #http: HttpClient

  constructor(options: RouseTargetOptions) {
    this.#options = options
    this.#http = new HttpClient(options.http)
    this.#data = join(options.directory, "data")
  }

  launch(): Running {
    const { directory, ledgerUrl, plant, database } = this.#options
    return startProcess({
      module: "./program/server-main",
      args: [this.#data, ledgerUrl, ...(plant === undefined ? [] : [plant])],
      env: {
        NODE_COMPILE_CACHE: join(directory, "compiled"),
        ...(database === undefined ? {} : { ROUSE_DATABASE_URL: database }),
      },
    })
  }

  address(agent: string): string {
    return entityUrl(AGENT, agent)
  }

  async prepare(base: string, agent: string): Promise<void> {
    for (const type of [SINK, AGENT]) {
      accepted(await this.#put(base, `/${type}/${agent}`, {}, `${type}-${agent}`))
    }
    const body = { name: "agent", source: this.address(agent), on: ["finished", "answered"], from: "beginning" }
    const url = `${base}/v1/entities/${SINK}/${agent}/observations`
    accepted(await this.#http.call({ method: "POST", url, body, headers: { "idempotency-key": `observe-${agent}` } }))
  }

  async send(base: string, message: Outgoing): Promise<Accepted> {
    if (message.way === "spawn") return await this.#sendBySpawn(base, message)
    const { name, content, mode, way, wait } = message
    const body = { content, mode, ...(way === "delayed" ? { afterMs: DELAY_MS } : {}) }
    // What is not there yet cannot be waited for.
    const waits = wait && way === "send" && this.#options.plant !== "early-ack"
    const query = waits ? `?${WAIT}` : ""
    const reply = await this.#http.call({
      method: "POST",
      url: `${base}/v1/entities${this.address(message.agent)}/messages${query}`,
      body,
      headers: { "idempotency-key": name },
    })
    const { message: key, status } = JSON.parse(accepted(reply)) as Receipt & Partial<Settled>
    return way === "delayed" ? {} : { key, ...(status === undefined ? {} : { settled: status }) }
  }

  async #sendBySpawn(base: string, { name, agent, content }: Outgoing): Promise<Accepted> {
    accepted(await this.#put(base, `/${SINK}/${agent}`, {}, `${SINK}-${agent}`))
    const { message } = JSON.parse(
      accepted(await this.#put(base, this.address(agent), { message: content }, name)),
    ) as Spawned
    return message === undefined ? {} : { key: message }
  }

  #put(base: string, url: string, body: unknown, key: string): Promise<Reply> {
    const call: Call = { method: "PUT", url: `${base}/v1/entities${url}`, body, headers: { "idempotency-key": key } }
    return this.#http.call(call)
  }

  async busy(base: string): Promise<readonly string[]> {
    const all = await this.#entities(base)
    const open = all.filter(({ status, pending }) => (status !== "idle" && status !== "dead") || pending > 0)
    const waits = open.map(({ url, status, pending }) => `${url} ${status} ${pending}`)
    for (const { url, type } of all) {
      if (type === SINK) {
        const { observations } = await this.#get<ObservationList>(base, `/v1/entities${url}/observations`)
        if (observations.some(({ pending }) => pending)) waits.push(`${url} is yet to be told`)
        continue
      }
      const { rows } = await this.#get<{ rows: readonly unknown[] }>(base, `/v1/entities${url}/state/schedule`)
      if (rows.length > 0) waits.push(`${url} has ${rows.length} delayed sends`)
    }
    return waits
  }

  async logs(base: string): Promise<readonly EntityLog[]> {
    const logs: EntityLog[] = []
    for (const { url, type, status, pending, stream } of await this.#entities(base)) {
      logs.push({ url, type, status, pending, events: await this.#events(base, stream) })
    }
    return logs
  }

  async atRest(): Promise<{ readonly rest: readonly RestingEntity[]; readonly nextDueAtMs: number | undefined }> {
    const store = await this.openStore()
    try {
      const rest: RestingEntity[] = []
      for (let after: string | undefined, more = true; more;) {
        const page = await store.entities({ limit: PAGE, ...(after === undefined ? {} : { after }) })
        rest.push(...page.entities.map(({ url, status, dueAtMs, control }) => ({ url, status, dueAtMs, control })))
        after = page.next
        more = after !== undefined
      }
      return { rest, nextDueAtMs: await store.nextDueAtMs() }
    } finally {
      await store.close()
    }
  }

  protected openStore(): Promise<Store> {
    return openStore({ directory: this.#data, clock: Date.now })
  }

  close(): void {
    this.#http.close()
  }

  /** When all is over. */
  end(): Promise<void> {
    return Promise.resolve()
  }

  async #entities(base: string): Promise<readonly EntitySummary[]> {
    const all: EntitySummary[] = []
    for (let after = "", more = true; more;) {
      const page = await this.#get<EntityPage>(base, `/v1/entities?limit=${PAGE}${after}`)
      all.push(...page.entities)
      more = page.next !== undefined
      after = `&after=${encodeURIComponent(page.next ?? "")}`
    }
    return all
  }

  async #events(base: string, stream: string): Promise<EntityLog["events"]> {
    const events: EntityLog["events"][number][] = []
    for (let offset = "-1", more = true; more;) {
      const reply = await this.#http.call({ method: "GET", url: `${base}/v1/stream/${stream}?offset=${offset}` })
      events.push(...(JSON.parse(accepted(reply)) as EntityLog["events"]))
      offset = String(reply.headers["stream-next-offset"])
      more = reply.headers["stream-up-to-date"] === undefined
    }
    return events
  }

  async #get<T>(base: string, path: string): Promise<T> {
    return JSON.parse(accepted(await this.#http.call({ method: "GET", url: base + path }))) as T
  }
}

/** The body of an answer that says yes. */
function accepted({ status, body }: Reply): string {
  if (status >= 200 && status < 300) return body
  if (status === 503 || status === 429) throw new NotAccepted(`${status}: ${body}`)
  throw new Error(`the server answered ${status}: ${body}`)
}
