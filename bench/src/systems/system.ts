import type { Child } from "../lib/child.ts"
import type { Connection } from "../lib/http.ts"

/**
 * Something that settles turns over HTTP: Rouse, a baseline, or a peer. A peer is a file beside this one that says how to start it and how a turn
 * is asked of it; its packages are dependencies of this folder alone.
 */
export interface System {
  readonly name: string
  /** Starts it with nothing stored, in an empty directory. */
  start(directory: string): Promise<Child>
  /** A message to an agent that exists; resolves when its reply is here and durable, as far as this system makes anything so. */
  turn(connection: Connection, agent: string): Promise<void>
  /** A new agent and its first message. */
  freshTurn(connection: Connection, agent: string): Promise<void>
  /** An entity type whose handler replies with when it was entered, where the system is Rouse. */
  readonly startedType?: string
}

/** What every turn says. */
export const MESSAGE = "hello world"
