import type { EntityUrl } from "@rouse/protocol"

/** One of the processes that serve one store at the same time, while its session goes on. */
export interface Replica {
  readonly id: string
  /** How much it can do at once, beside the others; 0: it takes nothing more. */
  readonly capacity: number
}

/** What a replica hears of the others. */
export interface ReplicaListener {
  /**
   * Who is there, this one among them, and the ids of those whose session has ended and who are not forgotten yet. Called when either changed,
   * and again every few moments while some are not forgotten.
   */
  onReplicas(live: readonly Replica[], ended: readonly string[]): void
  /** Another replica changed these. Not told of all: whoever must know also looks. */
  onEntities(urls: readonly EntityUrl[]): void
  /** Another replica left something that falls due then, milliseconds since the Unix epoch. */
  onDue(atMs: number): void
}

/**
 * The replicas of a store that several processes may serve.
 *
 * Invariants:
 * 1. Whoever is on record as live was so when it was read: a session that ended is never shown as live afterwards, unless it began anew.
 * 2. A replica is shown as live before `join` resolves: what it leases later names somebody who is on record.
 */
export interface Replicas {
  /** Of this process, by chance: a process that is started again is another, and so is who joins anew. */
  readonly id: string

  /** Begins this process's session, and keeps it up until `leave`. @throws {RouseError} `STORE_UNAVAILABLE`. */
  join(capacity: number, listener: ReplicaListener): Promise<void>

  /** Those whose session goes on, as the store has it now. @throws {RouseError} `STORE_UNAVAILABLE`. */
  live(): Promise<readonly Replica[]>

  /** This process takes nothing more, and says so to the others. Its session goes on. */
  drain(): Promise<void>

  /** Nothing names this ended replica any more. */
  forget(id: string): Promise<void>

  /** Entities that wait for a wake, of whomever. */
  queued(): Promise<number>

  /** Ends this process's session, for all to see at once. */
  leave(): Promise<void>
}
