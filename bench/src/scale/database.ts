import type { Costs, Machines } from "./costs.ts"
import { Station } from "./station.ts"
import type { Timeline } from "./timeline.ts"

/** Pieces into which the work of listeners' processes is put together, so that very many are no more to compute. */
const PARTS_MAX = 8

/** A commit of the model: of one agent, planned on a version of it. */
export interface Planned {
  readonly agent: number
  readonly version: number
}

/**
 * One Postgres: cores, a WAL, locks of agents and their versions.
 *
 * 1. A group waits without a core until nobody has its locks, and has them until it is synced.
 * 2. Groups that are done while the WAL is synced are synced together next.
 * 3. A commit planned on what is no longer so is left out.
 */
export class Database {
  readonly cpu: Station
  /** The lock under which notifications are queued, one after the other. */
  readonly telling: Station
  walBytes = 0
  /** Commits that were left out. */
  stale = 0
  flushBusyMs = 0
  readonly #costs: Costs
  readonly #machines: Machines
  readonly #timeline: Timeline
  readonly #versions = new Map<number, number>()
  readonly #locked = new Set<number>()
  #waiting: { readonly group: readonly Planned[]; readonly done: (stale: ReadonlySet<number>) => void }[] = []
  #unsynced: { readonly bytes: number; readonly done: () => void }[] = []
  #syncing = false

  constructor(timeline: Timeline, costs: Costs, machines: Machines) {
    this.#timeline = timeline
    this.#costs = costs
    this.#machines = machines
    this.cpu = new Station(timeline, machines.databaseCores)
    this.telling = new Station(timeline, 1)
  }

  /** The versions of agents, after a round trip. */
  readAll(agents: readonly number[], done: (versions: readonly number[]) => void): void {
    this.#trip(() =>
      this.cpu.use(this.#costs.readMs * agents.length, () => {
        const versions = agents.map((agent) => this.versionOf(agent))
        this.#trip(() => done(versions))
      }),
    )
  }

  /** Writes a group. `done` is told of those that were left out, by their place in it. */
  apply(group: readonly Planned[], done: (stale: ReadonlySet<number>) => void): void {
    this.#trip(() => this.#begin(group, done))
  }

  /** Tells so many listeners. */
  notify(listeners: number, done: () => void): void {
    const { notifyMs, notifiedMs } = this.#costs
    this.#trip(() =>
      this.telling.use(notifyMs, () =>
        this.cpu.use(notifyMs, () => {
          const parts = Math.min(listeners, PARTS_MAX)
          for (let n = 0; n < parts; n += 1) this.cpu.use((notifiedMs * listeners) / parts, nothing)
          this.#trip(done)
        }),
      ),
    )
  }

  versionOf(agent: number): number {
    return this.#versions.get(agent) ?? 0
  }

  #begin(group: readonly Planned[], done: (stale: ReadonlySet<number>) => void): void {
    if (group.some(({ agent }) => this.#locked.has(agent))) {
      this.#waiting.push({ group, done })
      return
    }
    for (const { agent } of group) this.#locked.add(agent)
    this.cpu.use(this.#costs.groupMs + group.length * this.#costs.commitMs, () => {
      const stale = new Set<number>()
      group.forEach(({ agent, version }, at) => {
        if (this.versionOf(agent) === version) this.#versions.set(agent, version + 1)
        else stale.add(at)
      })
      this.stale += stale.size
      this.#sync((group.length - stale.size) * this.#costs.walBytes, () => {
        for (const { agent } of group) this.#locked.delete(agent)
        const waited = this.#waiting
        this.#waiting = []
        for (const one of waited) this.#begin(one.group, one.done)
        this.#trip(() => done(stale))
      })
    })
  }

  #sync(bytes: number, done: () => void): void {
    this.#unsynced.push({ bytes, done })
    if (!this.#syncing) this.#syncAll()
  }

  #syncAll(): void {
    const now = this.#unsynced
    this.#unsynced = []
    this.#syncing = now.length > 0
    if (!this.#syncing) return
    const bytes = now.reduce((sum, one) => sum + one.bytes, 0)
    const writingMs = bytes / (this.#machines.walMbPerSecond * 1_000)
    this.#timeline.after(Math.max(this.#machines.syncMs, writingMs), () => {
      this.walBytes += bytes
      this.flushBusyMs += writingMs
      this.#syncAll()
      for (const { done } of now) done()
    })
  }

  #trip(then: () => void): void {
    this.#timeline.after(this.#machines.roundTripMs / 2, then)
  }
}

function nothing(): void {
  // Nobody waits for a listener's process.
}
