import type { Client } from "@rouse/client"
import type { EntitySummary, EntityUrl, RunRow } from "@rouse/protocol"
import type { RunFacts } from "../core/top.ts"

/** Agents that are asked at a time. */
const ASKING_MAX = 4
/** How long an answer holds for an agent that goes on running. */
const HOLDS_MS = 15_000
/** Agents whose answers are kept. */
const KEPT_MAX = 2_000

interface Known {
  readonly facts: RunFacts | undefined
  readonly status: string
  readonly atMs: number
}

/**
 * Since when agents run, and on which model: what a list does not say. Asked for what is in sight, a few at a time.
 *
 * Owns: what was answered, by agent.
 */
export class RunFactsOf {
  readonly #client: Client
  readonly #signal: AbortSignal
  readonly #nowMs: () => number
  readonly #known = new Map<EntityUrl, Known>()
  #asking = 0

  constructor(client: Client, signal: AbortSignal, nowMs: () => number) {
    this.#client = client
    this.#signal = signal
    this.#nowMs = nowMs
  }

  get(url: EntityUrl): RunFacts | undefined {
    return this.#known.get(url)?.facts
  }

  /** Asks for those that changed, as far as there is room. @param told Called when there is an answer. */
  ask(entities: readonly EntitySummary[], told: () => void): void {
    for (const entity of entities) {
      if (this.#asking >= ASKING_MAX) return
      if (!this.#isOld(entity)) continue
      this.#asking += 1
      void this.load(entity).finally(() => {
        this.#asking -= 1
        told()
      })
    }
  }

  /** Asks for one. What cannot be had is left out: that a server is away is said by the list, which reads on. Never throws. */
  async load({ url, status }: EntitySummary): Promise<void> {
    this.#keep(url, { facts: this.get(url), status, atMs: this.#nowMs() })
    const options = { signal: this.#signal }
    const [runs, models] = await Promise.allSettled([
      this.#client.state(url, "run", options),
      this.#client.usage({ by: "model", entity: url }, options),
    ])
    const open =
      runs.status === "fulfilled" ? openRun(runs.value.rows.map(({ value }) => value as unknown as RunRow)) : undefined
    const model = models.status === "fulfilled" ? models.value.groups[0]?.key : undefined
    this.#keep(url, { facts: { startedAt: open?.startedAt, model }, status, atMs: this.#nowMs() })
  }

  #isOld({ url, status }: EntitySummary): boolean {
    const known = this.#known.get(url)
    return known === undefined || known.status !== status || this.#nowMs() - known.atMs > HOLDS_MS
  }

  #keep(url: EntityUrl, known: Known): void {
    this.#known.delete(url)
    this.#known.set(url, known)
    const [oldest] = this.#known.keys()
    if (this.#known.size > KEPT_MAX && oldest !== undefined) this.#known.delete(oldest)
  }
}

function openRun(runs: readonly RunRow[]): RunRow | undefined {
  return runs.findLast(({ status }) => status === "running" || status === "suspended")
}
