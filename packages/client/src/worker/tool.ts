import type { EntityUrl, Json } from "@rouse/protocol"

/** Where a worker says what it does. `console` is one. */
export interface WorkerLog {
  info(message: string, details?: object): void
  warn(message: string, details?: object): void
}

/** What a tool's function is told about the call it works on. */
export interface WorkerCall {
  /** The same for every attempt of this call, by whatever worker: hand it to whatever has the effect. */
  readonly idempotencyKey: string
  /** Aborts when the call is cancelled, takes longer than it may, is no longer this worker's, or the worker must end. */
  readonly signal: AbortSignal
  /** From 1, over all workers. */
  readonly attempt: number
  readonly entity: EntityUrl
  readonly call: string
  /** Says how far it is, on the agent's log. One a second is kept at most: the newest. */
  readonly progress: (said: { readonly message?: string; readonly fraction?: number; readonly data?: Json }) => void
  /** Says now that it lives, and throws when the call is no longer this worker's. It is said by itself too, in time. */
  readonly heartbeat: () => Promise<void>
  readonly log: WorkerLog
}

type Work = (input: never, call: WorkerCall) => unknown

/** What a worker does for a tool: a function, or with it how to find out what an earlier attempt did. */
export type WorkerTool =
  | Work
  | {
      readonly execute: Work
      /** What became of the call. Undefined means that it did not happen, and it is executed. */
      readonly reconcile?: Work
      /** Calls of this tool that this worker runs at once; as many as it has room for when absent. */
      readonly capacity?: number
    }
