import type { ChangeEvent, EntityStatus, EntityUrl, Row } from "@rouse/protocol"
import type { EffectEntry } from "./effect-book.ts"

/** All that is known of a run when it is over: what the judge reads. */
export interface History {
  readonly sent: readonly SentMessage[]
  readonly effects: readonly EffectEntry[]
  readonly logs: readonly EntityLog[]
  readonly lives: readonly Life[]
  /** Entities as the data directory holds them, read with no server running. */
  readonly rest: readonly RestingEntity[]
  /** When the store's next timer or lease would fall due: nothing is left when undefined. */
  readonly nextDueAtMs: number | undefined
  /** Where several processes served at once: how many. */
  readonly replicas?: number
  /** People interrupted, denied or stopped something: messages may end otherwise than processed, but still once. */
  readonly loose?: boolean
  /**
   * Idempotency keys that were asked about while a process which was taken for dead was still at the call: no answer could have
   * known of what it did later.
   */
  readonly raced?: ReadonlySet<string>
  readonly forks?: readonly ForkLog[]
  /** What the agents have in common, where they have something: see `program/joint.ts`. */
  readonly joint?: Joint
  /** The logs are of forks: calls that were open at the point are unknown to them, and that is not asked about. */
  readonly forked?: boolean
}

/** The jobs of the shared space, each with the message that ended it, and how many were counted. */
export interface Joint {
  readonly jobs: readonly { readonly id: string; readonly by?: string }[]
  readonly count: number
}

/** A message of the driver's. */
export interface SentMessage {
  readonly name: string
  readonly to: EntityUrl
  readonly mode: "queue" | "steer" | "interrupt"
  /** How it went: to an inbox, to an inbox later, or with the agent's creation. */
  readonly way: "send" | "delayed" | "spawn"
  /** Whether the server said that it had it. */
  readonly accepted: boolean
  /** The key that the server gave it, when it said so. */
  readonly key?: string
  /** The key that it was answered when it was sent once more at the end. */
  readonly repeatedKey?: string
  /** Sends until it was accepted. */
  readonly tries: number
  /** What the server said had come of it, to a driver that waited. */
  readonly settled?: string
}

/** An entity and its whole log. */
export interface EntityLog {
  readonly url: EntityUrl
  readonly type: string
  readonly status: EntityStatus
  readonly pending: number
  readonly events: readonly ChangeEvent[]
  /** Its rows as the store has them. */
  readonly rows?: readonly Row[]
}

/** A fork that was made, and what it was made of. */
export interface ForkLog {
  readonly url: EntityUrl
  readonly from: EntityUrl
  /** The events of the original up to the point. */
  readonly before: readonly ChangeEvent[]
}

/** One process of the server, from its spawn to its death. */
export interface Life {
  readonly spawnedAtMs: number
  /** Undefined when it was killed before. */
  readonly readyAtMs?: number
  /** Undefined for the last one, which was asked to end. */
  readonly killedAtMs?: number
  /** Wakes that it found interrupted, as it says itself. */
  readonly resumed?: number
}

export interface RestingEntity {
  readonly url: EntityUrl
  readonly status: EntityStatus
  readonly dueAtMs: number | null
  /** The control plane's own state of it. */
  readonly control: unknown
}

/** One broken promise. */
export interface Violation {
  /** The promise: `P1`, `P2`, `P3`, `P5`, `P6`, `P8`, or `rest` for what should be over and is not. */
  readonly rule: "P1" | "P2" | "P3" | "P5" | "P6" | "P8" | "rest"
  /** Which entity, message or call. */
  readonly where: string
  readonly what: string
}
