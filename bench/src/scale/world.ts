import type { Sharer } from "../../../packages/server/src/core/rendezvous.ts"
import type { Costs, Machines } from "./costs.ts"
import type { Database } from "./database.ts"
import type { Replica, Turn } from "./replica.ts"
import type { Timeline } from "./timeline.ts"

/** A wake for which there was no room where its message was accepted. */
export interface QueuedWake {
  readonly agent: number
  readonly turn: Turn
  readonly sinceMs: number
  /** Of each replica that has asked, by id. */
  readonly ranks: Map<string, number>
}

/** What all replicas of the model have in common. */
export interface World {
  readonly timeline: Timeline
  readonly costs: Costs
  readonly machines: Machines
  readonly database: Database
  readonly replicas: readonly Replica[]
  readonly sharers: readonly Sharer[]
  /** Turns that came to an agent since its wake under way began, or while it is queued. */
  readonly running: Map<number, Turn[]>
  readonly queue: QueuedWake[]
  /** Wakes that were given to another replica first. */
  refused: number
  /** Takes a wake out of the queue; false: another did. */
  leave(wake: QueuedWake): boolean
  /** Something was queued: those that have room look. */
  tellOfRoom(): void
  /** A turn's reply is durable. */
  settled: (turn: Turn) => void
}
