import type { Json } from "./json.ts"

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

/** The latest value of one row: what is left when the changes of a stream have been applied. */
export interface Row<T = Json> {
  readonly collection: string
  readonly key: string
  readonly value: T
}
