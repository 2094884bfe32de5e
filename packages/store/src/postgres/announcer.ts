import { randomUUID } from "node:crypto"
import { numberOf } from "../core/home.ts"
import { encodeChanges } from "./changes.ts"
import type { Connection } from "./connection.ts"

/** Things that wait to be told. Beyond it the rest is left to those who look. */
const WAITING_MAX = 10_000

/**
 * Tells other replicas what this one's commits changed, by `NOTIFY`.
 *
 * Not in the transaction of the commit: there it would hold a lock of the whole database until the disk is synced, and no two commits would be
 * synced together. So a notification may be lost with its replica; whoever waits for one also looks now and then. Where nobody listens, nothing is
 * told.
 */
export class Announcer {
  readonly replica: string = randomUUID()
  readonly #connection: Connection
  readonly #channel: string
  readonly #streams = new Set<number>()
  readonly #entities = new Set<string>()
  #subscriptionDueAtMs: number | null = null
  #observationDueAtMs: number | null = null
  #dueAtMs: number | null = null
  #replicas = false
  #greets: "says" | "asks" | undefined
  readonly #isHeard: () => boolean
  #telling: Promise<void> | undefined

  /** @param isHeard Whether anybody may listen: else only sessions are told, and who listens. */
  constructor(connection: Connection, channel: string, isHeard: () => boolean) {
    this.#connection = connection
    this.#channel = channel
    this.#isHeard = isHeard
  }

  stream(path: string): void {
    if (!this.#isHeard()) return
    if (this.#streams.size < WAITING_MAX) this.#streams.add(numberOf(path))
    this.#tell()
  }

  entity(url: string): void {
    if (!this.#isHeard()) return
    if (this.#entities.size < WAITING_MAX) this.#entities.add(url)
    this.#tell()
  }

  subscription(dueAtMs: number): void {
    if (!this.#isHeard()) return
    this.#subscriptionDueAtMs = Math.min(dueAtMs, this.#subscriptionDueAtMs ?? dueAtMs)
    this.#tell()
  }

  observation(dueAtMs: number): void {
    if (!this.#isHeard()) return
    this.#observationDueAtMs = Math.min(dueAtMs, this.#observationDueAtMs ?? dueAtMs)
    this.#tell()
  }

  /** Something falls due then that is left for whoever has room. */
  due(atMs: number): void {
    if (!this.#isHeard()) return
    this.#dueAtMs = Math.min(atMs, this.#dueAtMs ?? atMs)
    this.#tell()
  }

  /** A session began or ended. */
  replicas(): void {
    this.#replicas = true
    this.#tell()
  }

  /** This replica listens. Resolves when the others were told, or could not be. */
  async greet(asks: boolean): Promise<void> {
    this.#greets = asks || this.#greets === "asks" ? "asks" : "says"
    this.#tell()
    await this.#telling
  }

  /** Waits for what is being told. */
  async close(): Promise<void> {
    await this.#telling
  }

  get #hasNews(): boolean {
    if (this.#streams.size + this.#entities.size > 0) return true
    if (this.#replicas || this.#greets !== undefined || this.#dueAtMs !== null) return true
    return this.#subscriptionDueAtMs !== null || this.#observationDueAtMs !== null
  }

  #tell(): void {
    this.#telling ??= this.#tellAll().finally(() => {
      this.#telling = undefined
    })
  }

  /** One notification at a time: what changes meanwhile is in the next. */
  async #tellAll(): Promise<void> {
    await Promise.resolve()
    while (this.#hasNews) {
      const changes = {
        replica: this.replica,
        streams: [...this.#streams],
        entities: [...this.#entities],
        subscriptionDueAtMs: this.#subscriptionDueAtMs,
        observationDueAtMs: this.#observationDueAtMs,
        ...(this.#dueAtMs === null ? {} : { dueAtMs: this.#dueAtMs }),
        ...(this.#replicas ? { replicas: true } : {}),
        ...(this.#greets === undefined ? {} : { greets: this.#greets }),
      }
      this.#dueAtMs = null
      this.#replicas = false
      this.#greets = undefined
      this.#streams.clear()
      this.#entities.clear()
      this.#subscriptionDueAtMs = null
      this.#observationDueAtMs = null
      for (const payload of encodeChanges(changes)) {
        const lost = await this.#connection.query("SELECT pg_notify($1, $2)", [this.#channel, payload]).then(
          () => false,
          () => true,
        )
        // Those who wait look by themselves.
        if (lost) break
      }
    }
  }
}
