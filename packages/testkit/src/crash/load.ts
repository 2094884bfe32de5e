import { setTimeout as sleep } from "node:timers/promises"
import type { SentMessage } from "./core/history.ts"
import type { SeededRandom } from "./core/random.ts"
import { scriptOf } from "./core/script.ts"
import { NotAccepted } from "./target.ts"
import type { Accepted, Outgoing, Target } from "./target.ts"

/** How long one message is sent again, milliseconds: a server that never takes it ends the run. */
const INSIST_MS_MAX = 90_000
/** Between two tries, milliseconds: it doubles. */
const AGAIN_MS = 5
const AGAIN_MS_MAX = 160
const THINK_MS_MAX = 25

/** Where the server is; waits while there is none. Rejects when there will be none any more. */
export type Whereabouts = () => Promise<string>

/**
 * Keeps agents busy: one lane an agent, one message at a time, each sent until it is accepted and then never again.
 *
 * An agent is replaced by a new one from time to time, so that its log stays short enough to be judged at every prefix.
 */
export class Load {
  readonly #target: Target
  readonly #where: Whereabouts
  readonly #random: SeededRandom
  readonly #sent = new Map<string, SentMessage>()
  readonly #outgoing: Outgoing[] = []
  readonly #agents: number
  #lanes: readonly Promise<void>[] = []
  #generation = 0
  #open = true

  constructor(options: {
    readonly target: Target
    readonly where: Whereabouts
    readonly random: SeededRandom
    readonly agents: number
  }) {
    this.#target = options.target
    this.#where = options.where
    this.#random = options.random
    this.#agents = options.agents
  }

  /** Begins to send. Once. */
  start(): void {
    this.#lanes = Array.from({ length: this.#agents }, (_, lane) => this.#lane(lane))
  }

  get sent(): readonly SentMessage[] {
    return [...this.#sent.values()]
  }

  /** Every lane goes on with a new agent. */
  nextGeneration(): void {
    this.#generation += 1
  }

  /** Rejects when a lane has failed for good. */
  get failed(): Promise<never> {
    return Promise.all(this.#lanes).then(() => new Promise<never>(() => undefined))
  }

  /** Sends nothing new, and waits until what is under way is accepted. */
  async close(): Promise<void> {
    this.#open = false
    await Promise.all(this.#lanes)
  }

  /** Sends some accepted messages once more, as a client does that lost the answer, and keeps what is answered then. */
  async repeat(count: number): Promise<void> {
    const base = await this.#where()
    for (let i = 0; i < count && this.#outgoing.length > 0; i += 1) {
      const message = this.#random.pick(this.#outgoing)
      const { key } = await this.#target.send(base, { ...message, wait: false })
      const sent = this.#sent.get(message.name)
      if (sent && key !== undefined) this.#sent.set(message.name, { ...sent, repeatedKey: key })
    }
  }

  async #lane(lane: number): Promise<void> {
    const random = this.#random.split()
    let agent = ""
    while (this.#open) {
      const wanted = `g${this.#generation}l${lane}`
      const isNew = wanted !== agent
      agent = wanted
      const bySpawn = isNew && random.chance(0.5)
      if (isNew && !bySpawn) await this.#insist((base) => this.#target.prepare(base, wanted))
      await this.#deliver(this.#compose(agent, bySpawn, random))
      await sleep(random.below(THINK_MS_MAX))
    }
  }

  #compose(agent: string, bySpawn: boolean, random: SeededRandom): Outgoing {
    const name = `m${this.#outgoing.length + 1}`
    const way = bySpawn ? "spawn" : random.chance(0.1) ? "delayed" : "send"
    const mode = way !== "spawn" && random.chance(0.7) ? "queue" : "steer"
    const message: Outgoing = {
      name,
      agent,
      content: scriptOf(name, agent, random),
      mode,
      way,
      wait: random.chance(0.6),
    }
    this.#outgoing.push(message)
    return message
  }

  async #deliver(message: Outgoing): Promise<void> {
    const { name, agent, mode, way } = message
    const record = { name, to: this.#target.address(agent), mode, way }
    let tries = 0
    this.#sent.set(name, { ...record, accepted: false, tries })
    const answer = await this.#insist<Accepted>((base) => {
      tries += 1
      return this.#target.send(base, message)
    })
    this.#sent.set(name, { ...record, accepted: true, tries, ...answer })
  }

  /** Does it again until the server says yes. */
  async #insist<T>(act: (base: string) => Promise<T>): Promise<T> {
    const until = Date.now() + INSIST_MS_MAX
    for (let againMs = AGAIN_MS; ; againMs = Math.min(AGAIN_MS_MAX, againMs * 2)) {
      const base = await this.#where()
      try {
        return await act(base)
      } catch (error) {
        if (Date.now() > until || !isPassing(error)) throw error
        await sleep(againMs)
      }
    }
  }
}

/** Whether it is the crash that is felt, or a server that is busy for the moment. */
function isPassing(error: unknown): boolean {
  if (error instanceof NotAccepted) return true
  if (!(error instanceof Error)) return false
  const { code } = error as NodeJS.ErrnoException
  return (
    code === "ECONNREFUSED" ||
    code === "ECONNRESET" ||
    code === "EPIPE" ||
    code === "ETIMEDOUT" ||
    code === "EHOSTUNREACH" ||
    error.message.includes("connection broke") ||
    error.message.includes("hang up")
  )
}
