import { randomUUID } from "node:crypto"
import { RouseError } from "@rouse/protocol"
import { checkSchema, DEFAULT_SCHEMA } from "../postgres/schema-name.ts"
import type { MoveEnd } from "./end.ts"
import { moveBetween } from "./move.ts"
import type { MoveProgress, MoveReport } from "./move.ts"
import { PostgresEnd } from "./postgres-end.ts"
import { SqliteEnd } from "./sqlite-end.ts"

/** Where a store is, or is to be. */
export type MovePlace =
  | { readonly directory: string }
  | {
      /** `postgres://user:password@host:port/database`, of a role that may make the tables. Its password is in no error. */
      readonly url: string
      /** Default `rouse`. */
      readonly schema?: string
      /** Whether a pooler in transaction mode is in between. */
      readonly pooled?: boolean
    }

export interface MoveOptions {
  readonly from: MovePlace
  /** Must hold nothing, or what a move left unfinished. */
  readonly to: MovePlace
  /** Whether `to` may hold this very store as it was before it was moved away from there: that is written over. */
  readonly replace?: boolean
  /** Milliseconds since the Unix epoch. */
  readonly clock: () => number
  /** From 0 to 1. */
  readonly random: () => number
  readonly onProgress?: (progress: MoveProgress) => void | Promise<void>
}

/**
 * Moves a store from one place to another, of either engine: everything in it, with its identities, so that offsets, forks, leases, timers, tokens and keys
 * hold. No server may run on either place meanwhile. Afterwards `from` is marked as moved, and no server starts on it.
 *
 * @throws {RouseError} `BAD_REQUEST`: a place is none, both are the same, or something cannot be kept there; `NOT_FOUND`: there is no store in `from`;
 *   `CONFLICT` with `details.busy`: somebody uses one of the places; `ALREADY_EXISTS`: `to` holds a store; `STORE_MOVED`: `from` was moved, or is no whole copy;
 *   `STORE_DAMAGED`: the copy differs from what was read, and was not published; `STORE_UNAVAILABLE`.
 * @see docs/migrate.md
 */
export async function moveStore(options: MoveOptions): Promise<MoveReport> {
  const { replace = false, clock, random, onProgress = () => undefined } = options
  const from = endOf(options.from, random)
  const to = endOf(options.to, random)
  if (from.where === to.where) {
    throw new RouseError("BAD_REQUEST", `to: is the same place as from, ${to.where}`, { details: { field: "to" } })
  }
  return moveBetween({ from, to, replace, clock, move: randomUUID(), onProgress })
}

function endOf(place: MovePlace, random: () => number): MoveEnd {
  if ("directory" in place) return new SqliteEnd(place.directory)
  const { url, schema = DEFAULT_SCHEMA, pooled = false } = place
  checkSchema(schema)
  return new PostgresEnd({ url, schema, pooled, random })
}
