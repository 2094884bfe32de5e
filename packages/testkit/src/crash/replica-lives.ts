import type { Life } from "./core/history.ts"
import type { SeededRandom } from "./core/random.ts"
import type { Running } from "./process.ts"
import type { Target } from "./target.ts"

/** One replica's process. */
interface Seat {
  readonly running: Running
  readonly spawnedAtMs: number
  /** Where it serves; undefined while it starts. */
  url: string | undefined
  readyAtMs: number | undefined
}

/** The processes of several replicas at once. One that is killed is replaced; at least one serves. */
export class ReplicaLives {
  readonly #target: Target
  readonly #random: SeededRandom
  readonly #seats = new Set<Seat>()
  readonly #lives: Life[] = []
  #complaints = ""

  constructor(target: Target, random: SeededRandom) {
    this.#target = target
    this.#random = random
  }

  get lives(): readonly Life[] {
    return this.#lives
  }

  get complaints(): string {
    return this.#complaints + [...this.#seats].map(({ running }) => running.complaints).join("")
  }

  /** What a load balancer does that knows nothing: any that serves, by chance. */
  where(): Promise<string> {
    const urls = [...this.#seats].flatMap(({ url }) => url ?? [])
    if (urls.length === 0) return Promise.reject(new Error("no replica serves"))
    return Promise.resolve(this.#random.pick(urls))
  }

  /** Starts one more. Resolves when it serves. */
  async begin(): Promise<void> {
    const running = this.#target.launch()
    const seat: Seat = { running, spawnedAtMs: Date.now(), url: undefined, readyAtMs: undefined }
    this.#seats.add(seat)
    const { url } = await running.ready
    if (!this.#seats.has(seat)) return
    seat.readyAtMs = Date.now()
    seat.url = url
  }

  /** Kills one of those that serve, by chance, or asks it to end. */
  async end(how: "kill" | "stop"): Promise<void> {
    const seat = this.#random.pick([...this.#seats].filter(({ url }) => url !== undefined))
    if (!seat.running.isAlive) throw new Error(`a replica ended by itself: ${seat.running.complaints}`)
    this.#seats.delete(seat)
    const atMs = Date.now()
    if (how === "kill") await seat.running.kill()
    else await stop(seat)
    this.#note(seat, how === "kill" ? atMs : undefined)
  }

  /** @throws when a replica is gone that nobody killed. */
  checkAlive(): void {
    for (const { running } of this.#seats)
      if (!running.isAlive) throw new Error(`a replica ended by itself: ${running.complaints}`)
  }

  /** Asks all to end, which must succeed. */
  async endAll(): Promise<void> {
    const seats = [...this.#seats]
    this.#seats.clear()
    await Promise.all(seats.map(stop))
    for (const seat of seats) this.#note(seat, undefined)
  }

  async close(): Promise<void> {
    const alive = [...this.#seats].filter(({ running }) => running.isAlive)
    await Promise.all(alive.map(({ running }) => running.kill()))
  }

  #note({ spawnedAtMs, readyAtMs, running }: Seat, killedAtMs: number | undefined): void {
    this.#complaints = (this.#complaints + running.complaints).slice(-COMPLAINTS_CHARS_MAX)
    this.#lives.push({
      spawnedAtMs,
      ...(readyAtMs === undefined ? {} : { readyAtMs }),
      ...(killedAtMs === undefined ? {} : { killedAtMs }),
    })
  }
}

const COMPLAINTS_CHARS_MAX = 65_536

async function stop({ running }: Seat): Promise<void> {
  const code = await running.stop()
  if (code !== 0) throw new Error(`a replica ended with code ${code} when it was asked to: ${running.complaints}`)
}
