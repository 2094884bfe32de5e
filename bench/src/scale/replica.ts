import { rankOf, TURN_MS } from "../../../packages/server/src/core/rendezvous.ts"
import { opensLane, takeGroup } from "../../../packages/store/src/postgres/commit-groups.ts"
import type { QueuedWake, World } from "./world.ts"
import { Station } from "./station.ts"

/** As in the product: groups under way at once, and what a replica remembers of before it forgets all. */
const LANES = 4
const STATES_MAX = 8_192
/** Queued wakes that are read at a time, for each replica that reads the same. */
const BATCH_MIN = 16
const BATCH_MAX = 256
/** Agents that one notification names: 8,000 bytes of addresses and logs. */
const NAMED_MAX = 120

interface Job {
  readonly agent: number
  readonly bytes: number
  readonly homes: ReadonlySet<string>
  readonly done: () => void
}

/** A turn that was offered. */
export interface Turn {
  readonly offeredAtMs: number
  isSettled: boolean
}

/**
 * One server of the model.
 *
 * 1. Its commits are grouped as the product groups them, and planned again when another replica came first.
 * 2. A wake has room from before its lease until its last commit.
 */
export class Replica {
  readonly id: string
  readonly cpu: Station
  taken = 0
  readonly #world: World
  readonly #known = new Map<number, number>()
  #waiting: Job[] = []
  readonly #busy = new Set<string>()
  #open = 0
  readonly #news = new Set<number>()
  #telling = false
  #looking = false

  constructor(id: string, world: World) {
    this.id = id
    this.#world = world
    this.cpu = new Station(world.timeline, 1)
  }

  get room(): number {
    return this.#world.machines.wakesMax - this.taken
  }

  /** A message that the load balancer gave to this replica. */
  accept(agent: number, turn: Turn): void {
    const { costs } = this.#world
    this.cpu.use(costs.acceptMs, () =>
      this.#lookUp(agent, () => {
        // What is queued goes first.
        const hasRoom = this.room > 0 && this.#world.queue.length === 0
        if (hasRoom) this.taken += 1
        this.#commit(agent, () => this.#accepted(agent, turn, hasRoom))
      }),
    )
  }

  /** Another replica changed these. */
  hear(agents: readonly number[]): void {
    this.cpu.beside(this.#world.costs.hearMs)
    for (const agent of agents) this.#known.delete(agent)
  }

  /** Looks for queued wakes that it is to take. */
  look(): void {
    const { queue, database, replicas } = this.#world
    if (this.#looking || queue.length === 0 || this.room <= 0) return
    this.#looking = true
    const limit = Math.min(BATCH_MAX, Math.max(this.room, BATCH_MIN) * replicas.length)
    database.readAll([0], () => {
      this.#looking = false
      this.#takeOf(queue.slice(0, limit))
    })
  }

  #takeOf(due: readonly QueuedWake[]): void {
    const { timeline } = this.#world
    let laterAtMs = Number.POSITIVE_INFINITY
    const mine = due.filter((wake) => {
      const turnAtMs = wake.sinceMs + this.#rank(wake) * TURN_MS
      if (turnAtMs > timeline.nowMs) laterAtMs = Math.min(laterAtMs, turnAtMs)
      return turnAtMs <= timeline.nowMs
    })
    mine.sort((a, b) => this.#rank(a) - this.#rank(b))
    for (const wake of mine.slice(0, Math.max(0, this.room))) this.#take(wake)
    if (laterAtMs !== Number.POSITIVE_INFINITY) timeline.after(laterAtMs - timeline.nowMs, () => this.look())
  }

  #rank(wake: QueuedWake): number {
    const known = wake.ranks.get(this.id)
    if (known !== undefined) return known
    const rank = rankOf(`/agent/a${wake.agent}`, this.id, this.#world.sharers)
    wake.ranks.set(this.id, rank)
    return rank
  }

  /** Of those that take the same wake the first one has it; to the others it is a commit that was refused. */
  #take(wake: QueuedWake): void {
    this.taken += 1
    this.#commit(wake.agent, () => {
      if (this.#world.leave(wake)) this.#run(wake.agent, [wake.turn])
      else {
        this.#world.refused += 1
        this.#release()
      }
    })
  }

  #accepted(agent: number, turn: Turn, hasRoom: boolean): void {
    const { running, queue } = this.#world
    const joined = running.get(agent)
    if (joined !== undefined) joined.push(turn)
    else if (hasRoom) {
      this.#run(agent, [turn])
      return
    } else {
      running.set(agent, [])
      queue.push({ agent, turn, sinceMs: this.#world.timeline.nowMs, ranks: new Map() })
      this.#world.tellOfRoom()
    }
    if (hasRoom) this.#release()
  }

  #run(agent: number, turns: readonly Turn[]): void {
    const { timeline, machines, costs, running } = this.#world
    if (!running.has(agent)) running.set(agent, [])
    timeline.after(machines.modelMs, () =>
      this.cpu.use(costs.finishMs, () => this.#commit(agent, () => this.#finished(agent, turns))),
    )
  }

  /** Messages that came meanwhile are the next wake, whose lease was taken in the same commit. */
  #finished(agent: number, turns: readonly Turn[]): void {
    const { running } = this.#world
    for (const turn of turns) {
      if (turn.isSettled) throw new Error("a turn was settled twice")
      turn.isSettled = true
      this.#world.settled(turn)
    }
    const next = running.get(agent) ?? []
    running.delete(agent)
    if (next.length > 0) this.#run(agent, next)
    else this.#release()
  }

  #release(): void {
    this.taken -= 1
    this.look()
  }

  /** What is remembered is not read. The record is read for the plan, and what is compared is looked up with the group. */
  #lookUp(agent: number, done: () => void): void {
    if (this.#known.has(agent)) done()
    else this.#world.database.readAll([agent], () => this.cpu.use(this.#world.costs.lookUpMs, done))
  }

  #commit(agent: number, done: () => void): void {
    const homes = new Set([String(agent)])
    this.#waiting.push({ agent, bytes: this.#world.costs.walBytes / 4, homes, done })
    this.#fill()
  }

  #fill(): void {
    while (this.#open < LANES && this.#waiting.length > 0 && opensLane(this.#waiting.length, this.#open)) {
      const { group, kept } = takeGroup(this.#waiting, this.#busy)
      if (group.length === 0) return
      this.#waiting = kept
      this.#open += 1
      for (const { homes } of group) for (const home of homes) this.#busy.add(home)
      this.#round(group, () => {
        this.#open -= 1
        for (const { homes } of group) for (const home of homes) this.#busy.delete(home)
        this.#fill()
      })
    }
  }

  /** Looks up what is not known, all at once; applies; and again those that were planned on what is no longer so. */
  #round(jobs: readonly Job[], done: () => void): void {
    const { database } = this.#world
    const missing = jobs.filter(({ agent }) => !this.#known.has(agent)).map(({ agent }) => agent)
    const apply = (read: readonly number[]): void => {
      missing.forEach((agent, at) => this.#know(agent, read[at] as number))
      const planned = jobs.map(({ agent }) => ({ agent, version: this.#known.get(agent) ?? database.versionOf(agent) }))
      database.apply(planned, (stale) => {
        const settled = jobs.filter((_, at) => !stale.has(at))
        planned.forEach(({ agent, version }, at) => {
          if (stale.has(at)) this.#known.delete(agent)
          else this.#know(agent, version + 1)
        })
        this.#tell(settled.map(({ agent }) => agent))
        for (const job of settled) job.done()
        const again = jobs.filter((_, at) => stale.has(at))
        if (again.length > 0) this.#round(again, done)
        else done()
      })
    }
    if (missing.length === 0) apply([])
    else database.readAll(missing, apply)
  }

  #know(agent: number, version: number): void {
    if (this.#known.size >= STATES_MAX && !this.#known.has(agent)) this.#known.clear()
    this.#known.set(agent, version)
  }

  /** One notification at a time: what changes meanwhile is in the next. Who is alone tells nothing. */
  #tell(agents: readonly number[]): void {
    const { replicas, database } = this.#world
    if (replicas.length === 1) return
    for (const agent of agents) this.#news.add(agent)
    if (this.#telling || this.#news.size === 0) return
    this.#telling = true
    this.cpu.beside(this.#world.costs.tellMs)
    const named = [...this.#news].slice(0, NAMED_MAX)
    for (const agent of named) this.#news.delete(agent)
    database.notify(replicas.length - 1, () => {
      for (const other of replicas) if (other !== this) other.hear(named)
      this.#telling = false
      this.#tell([])
    })
  }
}
