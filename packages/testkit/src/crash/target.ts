import type { EntityUrl } from "@rouse/protocol"
import type { EntityLog, RestingEntity } from "./core/history.ts"
import type { Running } from "./process.ts"

/** A message on its way to the system under test. */
export interface Outgoing {
  readonly name: string
  readonly agent: string
  readonly content: string
  readonly mode: "queue" | "steer"
  readonly way: "send" | "delayed" | "spawn"
  /** Whether the driver waits for what comes of it. */
  readonly wait: boolean
}

/** What the system said when it took a message. */
export interface Accepted {
  readonly key?: string
  readonly settled?: string
}

/**
 * A system that the driver loads and kills. What is specific to one is here and in its judge: Rouse's reads logs and the store, a peer's
 * the outside ledger and what its conversations hold (see `PeerTarget`).
 */
export interface Target {
  readonly name: string
  /** Starts the server on the same data as ever. */
  launch(): Running
  /**
   * Starts what runs its handlers, for one whose handlers are a process of their own: once the server serves, and again whenever the driver
   * killed it alone.
   */
  launchHandler?(base: string): Running
  /** The address of an agent. */
  address(agent: string): EntityUrl
  /** Makes an agent that can be sent to. Repeating it changes nothing. */
  prepare(base: string, agent: string): Promise<void>
  /**
   * Sends a message. Repeating it, with the same name, sends one message.
   *
   * @throws {NotAccepted} when the system refused for the moment; whatever the connection throws when it breaks.
   */
  send(base: string, message: Outgoing): Promise<Accepted>
  /** What is still under way: nothing when the answer is empty. */
  busy(base: string): Promise<readonly string[]>
  /** Every log, read over HTTP. */
  logs(base: string): Promise<readonly EntityLog[]>
  /** The data at rest, with no server running. */
  atRest(): Promise<{ readonly rest: readonly RestingEntity[]; readonly nextDueAtMs: number | undefined }>
  close(): void
}

/** The system said that it cannot take the message now: it is to be sent again. */
export class NotAccepted extends Error {}
