/**
 * A position in a stream: opaque, lexicographically sortable. Only a store makes or parses one.
 *
 * @see Durable Streams Protocol §6
 */
export type Offset = string & { readonly __offset: unique symbol }

/** The sentinel that means the beginning of a stream. */
export const START = "-1" as Offset
