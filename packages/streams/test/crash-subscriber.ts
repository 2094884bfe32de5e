import { createServer } from "node:http"
import type { Server } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { listen } from "./serve.ts"

/**
 * Subscribers that live on while the server is killed, and the judges of what they were told.
 *
 * Each reads what it is told of, from the cursor that it is told, and acknowledges it. What it has read is its own memory; what the server
 * answered 200 to is what must survive. Now and then one keeps a report back until a newer wake comes: it must be fenced then.
 */

/** Short, so that a wake that a crash left is soon over. */
const LEASE_MS = 1_000
const CLAIM_PAUSE_MS = 20
const STALE_CHANCE = 0.2
const JSON_TYPE = { "content-type": "application/json" }

interface Wake {
  readonly wake_id: string
  readonly generation: number
  /** Of a claim. */
  readonly token?: string
  /** Of a webhook. */
  readonly callback_token?: string
  readonly streams: readonly { path: string; tail_offset: string; acked_offset: string; has_pending: boolean }[]
}

interface Report {
  readonly token: string
  readonly body: {
    readonly wake_id: string
    readonly generation: number
    readonly done: boolean
    readonly acks: readonly { stream: string; offset: string }[]
  }
}

export class CrashSubscriber {
  readonly #id: string
  readonly #action: "callback" | "ack"
  readonly #seen = new Map<string, Set<number>>()
  /** The cursors that the server confirmed. */
  readonly #acked = new Map<string, string>()
  #generation = 0
  #wakeId = ""
  #stale: Report | undefined
  #isCalm = false
  /** What went wrong where nobody waits. */
  #fault: Error | undefined
  #base = ""
  /** Wakes that it was told of, and reports of old ones that were refused. */
  readonly counts: { wakes: number; fenced: number } = { wakes: 0, fenced: 0 }

  constructor(id: string, type: "webhook" | "pull-wake") {
    this.#id = id
    this.#action = type === "webhook" ? "callback" : "ack"
  }

  /** Makes the subscription, before there is anything to be told of. */
  async subscribe(base: string, pattern: string, hookUrl: string): Promise<void> {
    const wakeStream = `wakes/${this.#id}`
    const target =
      this.#action === "callback"
        ? { type: "webhook", webhook: { url: `${hookUrl}/${this.#id}` } }
        : { type: "pull-wake", wake_stream: wakeStream }
    if (this.#action === "ack") await fetch(`${base}/${wakeStream}`, { method: "PUT", headers: JSON_TYPE })
    const body = JSON.stringify({ ...target, pattern, lease_ttl_ms: LEASE_MS })
    const { status } = await fetch(this.#url(base, ""), { method: "PUT", headers: JSON_TYPE, body })
    if (status !== 201) throw new Error(`${this.#id}: was made with ${status}`)
  }

  /** From now on every wake is reported at once. */
  calm(): void {
    this.#isCalm = true
  }

  /** Where the server is now. */
  moved(base: string): void {
    this.#base = base
  }

  /** Takes a wake by webhook. */
  told(wake: Wake): void {
    this.#handle(wake).catch((error: unknown) => this.#failed(error))
  }

  /** Claims wakes until the server no longer answers, or `signal`. */
  async pull(base: string, signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        const body = JSON.stringify({ worker: "w" })
        const answer = await fetch(this.#url(base, "/claim"), { method: "POST", headers: JSON_TYPE, body })
        const claimed = (await answer.json()) as Wake
        if (answer.status === 200) await this.#handle(claimed)
        else if (answer.status === 409) await sleep(CLAIM_PAUSE_MS)
        else throw new Error(`${this.#id}: a claim was answered ${answer.status}`)
      }
    } catch (error) {
      this.#failed(error)
    }
  }

  /** @throws {Error} when a cursor went back, or something went wrong meanwhile. */
  async judge(base: string): Promise<void> {
    if (this.#fault) throw this.#fault
    const answer = await fetch(this.#url(base, ""))
    const { streams } = (await answer.json()) as { streams: { path: string; acked_offset: string }[] }
    for (const [path, offset] of this.#acked) {
      const now = streams.find((stream) => stream.path === path)?.acked_offset
      if (now === undefined || now < offset) throw new Error(`${this.#id}: the cursor of ${path} went back: ${now}`)
    }
  }

  /** Whether it has read all batches up to this one. */
  hasSeen(path: string, last: number): boolean {
    const seen = this.#seen.get(path)
    return Array.from({ length: last + 1 }, (_, batch) => batch).every((batch) => seen?.has(batch) === true)
  }

  async #handle(wake: Wake): Promise<void> {
    this.#check(wake)
    const stale = this.#stale
    if (stale !== undefined && stale.body.generation < wake.generation) {
      this.#stale = undefined
      if ((await this.#report(stale)) !== 409) throw new Error(`${this.#id}: an old report was not fenced`)
      this.counts.fenced += 1
    }
    const acks = []
    for (const { path, acked_offset, tail_offset, has_pending } of wake.streams) {
      if (!has_pending) continue
      acks.push({ stream: path, offset: await this.#read(path, acked_offset, tail_offset) })
    }
    const { wake_id, generation } = wake
    const report = { token: wake.callback_token ?? wake.token ?? "", body: { wake_id, generation, acks, done: true } }
    if (!this.#isCalm && this.#stale === undefined && Math.random() < STALE_CHANCE) this.#stale = report
    else if ((await this.#report(report)) === 200)
      for (const { stream, offset } of acks)
        if (offset > (this.#acked.get(stream) ?? "")) this.#acked.set(stream, offset)
  }

  /** A generation is of one wake, and only grows. */
  #check({ generation, wake_id }: Wake): void {
    this.counts.wakes += 1
    const isAgain = this.#action === "callback" && generation === this.#generation && wake_id === this.#wakeId
    if (!isAgain && generation <= this.#generation)
      throw new Error(`${this.#id}: the wake ${wake_id} has generation ${generation} after ${this.#generation}`)
    this.#generation = generation
    this.#wakeId = wake_id
  }

  async #read(path: string, from: string, to: string): Promise<string> {
    const seen = this.#seen.get(path) ?? new Set()
    this.#seen.set(path, seen)
    for (let offset = from; offset < to;) {
      const answer = await fetch(`${this.#base}/${path}?offset=${offset}`)
      if (answer.status !== 200) throw new Error(`${this.#id}: a read of ${path} was answered ${answer.status}`)
      for (const { batch } of (await answer.json()) as { batch: number }[]) seen.add(batch)
      offset = answer.headers.get("stream-next-offset") ?? ""
    }
    return to
  }

  async #report({ token, body }: Report): Promise<number> {
    const headers = { ...JSON_TYPE, authorization: `Bearer ${token}` }
    const url = this.#url(this.#base, `/${this.#action}`)
    const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) })
    await answer.arrayBuffer()
    if (answer.status !== 200 && answer.status !== 409)
      throw new Error(`${this.#id}: a report was answered ${answer.status}`)
    return answer.status
  }

  #url(base: string, rest: string): string {
    return `${base}/__ds/subscriptions/${this.#id}${rest}`
  }

  /** `fetch` failed: the server is dead. Anything else is for the test. */
  #failed(error: unknown): void {
    if (!(error instanceof TypeError)) this.#fault ??= error instanceof Error ? error : new Error(String(error))
  }
}

/** Where the webhooks of all of them arrive. */
export async function receiverOf(
  subscribers: ReadonlyMap<string, CrashSubscriber>,
): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
    incoming.on("error", () => outgoing.destroy())
    incoming.on("end", () => {
      outgoing.end("{}")
      subscribers.get(incoming.url?.slice(1) ?? "")?.told(JSON.parse(Buffer.concat(chunks).toString()) as Wake)
    })
  })
  return { url: await listen(server), server }
}
