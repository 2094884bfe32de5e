import type { Json } from "./json.ts"
import type { Offset } from "./offset.ts"

/** How a change event changes its row. */
export type Operation = "insert" | "update" | "delete"

/**
 * A change to one row of one collection, as written on an entity's stream.
 *
 * @see Durable Streams State Protocol §5.1
 */
export interface ChangeEvent<T = Json> {
  readonly type: string
  readonly key: string
  readonly value?: T
  readonly headers: { readonly operation: Operation; readonly timestamp?: string; readonly txid?: string }
}

/**
 * A message about the log itself. Between `snapshot-start` and `snapshot-end` stand the live rows as of `offset`: whoever applies
 * them begins anew. `reset` says that what was applied before is void.
 *
 * @see Durable Streams State Protocol §5.2
 */
export interface ControlEvent {
  readonly headers: { readonly control: "snapshot-start" | "snapshot-end" | "reset"; readonly offset?: Offset }
}

/** What a log that was opened from a snapshot tells. */
export type LogEvent<T = Json> = ChangeEvent<T> | ControlEvent

export function isControlEvent(event: LogEvent<unknown>): event is ControlEvent {
  return "control" in event.headers
}

/** The latest value of one row: what is left when the changes of a stream have been applied. */
export interface Row<T = Json> {
  readonly collection: string
  readonly key: string
  readonly value: T
}
