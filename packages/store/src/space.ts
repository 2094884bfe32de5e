import type { JsonObject, Offset, SharedDefinition } from "@rouse/protocol"
import type { StreamInfo } from "./stream.ts"

/**
 * Spaces: rows that many write at once, each guarded by its own version. A space belongs to the stream at its path, which is its log: what
 * changes a row and what says so on the log are decided and done together, in the store's transaction, so that writers meet at rows and
 * not at the space.
 *
 * @see docs/shared.md
 */
export interface SpaceOp {
  readonly op: "space"
  /** The path of the space's stream. */
  readonly path: string
  readonly change: SpaceChange
  readonly nowMs: number
}

export type SpaceChange =
  /**
   * Makes the space and its stream, or replaces its definition if its version is `version` (0: there is none).
   *
   * @throws {RouseError} `CONFLICT` (`details.guard` is `space`), `ALREADY_EXISTS` when a collection that has rows is to go, or to change
   *   its key or indexes.
   */
  | { readonly kind: "define"; readonly definition: SharedDefinition; readonly version: number }
  /**
   * @param by Who writes: it is said on the log.
   * @param owner Whose the rows are that it inserts, for `disown`. Nobody's when absent.
   */
  | { readonly kind: "write"; readonly by: string; readonly owner?: string; readonly writes: readonly SpaceWrite[] }
  /**
   * Deletes those of the rows that are of this owner, whoever has claimed them, and marks the log as holding what is to be forgotten.
   * Does nothing when there is none.
   */
  | { readonly kind: "disown"; readonly owner: string; readonly rows: readonly OnRow[] }
  /** The log holds nothing to forget any more: it was trimmed to `until`, or beyond. */
  | { readonly kind: "forgotten"; readonly until: Offset }
  /** Removes the space, its rows and its stream. */
  | { readonly kind: "drop" }

export interface OnRow {
  readonly collection: string
  readonly key: string
}

interface Expecting {
  readonly version?: number
  readonly token?: number
}

/**
 * What is done to a row.
 *
 * @throws {RouseError} `NOT_FOUND`; `ALREADY_EXISTS` for an insert; `CONFLICT` when the version is another (`details.guard` is `row`, with the
 *   row's `version` and its `value` as JSON text); `CLAIM_LOST` when the token is not the row's claim; `ALREADY_CLAIMED` without one, when
 *   somebody has the row; `INVALID_ARGS` when what is to be incremented is no number or leaves its bounds; `TOO_LARGE` past a bound.
 */
export type SpaceWrite =
  | (OnRow & {
      readonly kind: "insert"
      readonly value: string
      readonly rowsMax: number
      /** Nobody is to claim it. */
      readonly done?: boolean
    })
  | (OnRow & Expecting & { readonly kind: "update"; readonly value: string })
  | (OnRow & Expecting & { readonly kind: "delete" })
  | (OnRow & {
      readonly kind: "increment"
      readonly field: string
      readonly by: number
      readonly min?: number
      readonly max?: number
    })
  | (OnRow & { readonly kind: "complete"; readonly token: number; readonly version?: number; readonly value?: string })
  /** Without a token: whoever has it. */
  | (OnRow & { readonly kind: "release"; readonly token?: number; readonly expired?: boolean })
  | (OnRow & { readonly kind: "renew"; readonly token: number; readonly expiresAtMs: number })
  | SpaceClaim

/** Takes rows that nobody has: those of expired claims first, then the oldest. Asked again with the same `claim`, those still held. */
export interface SpaceClaim {
  readonly kind: "claim"
  readonly collection: string
  /** Which rows: see `queueOf`. */
  readonly queue: string
  readonly limit: number
  readonly holder: string
  readonly claim: string
  readonly expiresAtMs: number
  /** Rows that one holder may have of a space. */
  readonly heldMax: number
}

/** What became of each write, in order. */
export type SpaceResult =
  | { readonly kind: "written"; readonly key: string; readonly version: number | null }
  | { readonly kind: "claimed"; readonly rows: readonly SpaceRow[] }

export interface SpaceRow {
  readonly collection: string
  readonly key: string
  /** As JSON text. */
  readonly value: string
  /** Where on the log the change that made the value begins. */
  readonly version: number
  /** Where on the log it was inserted: the order of the queues. */
  readonly made: number
  /** Where on the log the newest claim of the row begins; 0: there was none. */
  readonly token: number
  readonly done: boolean
  readonly holder: string | null
  readonly claim: string | null
  /** When the claim expires; 0: nobody has it. */
  readonly freeAtMs: number
  /** Whose insert made it; null: nobody's, whom a deletion would take it away with. */
  readonly owner: string | null
}

export interface SpaceRecord {
  readonly path: string
  readonly definition: SharedDefinition
  readonly version: number
  readonly createdAtMs: number
  readonly rows: number
}

export interface SpaceRowQuery {
  readonly collection: string
  /** Properties that rows must have, with these values. */
  readonly where?: JsonObject
  /** Keys after this one, in byte order. */
  readonly after?: string
  readonly limit: number
}

/** Rows that were found. With `next` there may be more, also when none was: to go on `after`. */
export interface SpaceRowPage {
  readonly rows: readonly SpaceRow[]
  readonly next?: string
}

/** What is live of a space, as one commit left it. */
export interface SpaceLive {
  readonly info: StreamInfo
  readonly space: SpaceRecord
  /** By collection and key, in byte order. */
  readonly rows: readonly SpaceRow[]
}

/** Some rows of an owner, all of one space. */
export interface OwnedRows {
  readonly path: string
  readonly rows: readonly OnRow[]
}

/** A space whose log is to be trimmed: what is before `until` is of rows that went with their owner. */
export interface ForgetfulSpace {
  readonly path: string
  readonly until: Offset
}

/** A claim that expired. */
export interface ExpiredClaim {
  readonly path: string
  readonly collection: string
  readonly key: string
  readonly token: number
  readonly expiredAtMs: number
}

export interface SpaceReads {
  space(path: string): Promise<SpaceRecord | undefined>
  /** By path, in byte order. */
  spaces(page: { readonly after?: string; readonly limit: number }): Promise<readonly SpaceRecord[]>
  spaceRow(path: string, collection: string, key: string): Promise<SpaceRow | undefined>
  /** By key, in byte order. A condition that no index fits is looked for in a bounded number of rows at a time. */
  spaceRows(path: string, query: SpaceRowQuery): Promise<SpaceRowPage>
  liveSpace(path: string): Promise<SpaceLive | undefined>
  /** Rows of an owner in one of the spaces; undefined when no space has any. */
  ownedRows(owner: string, limit: number): Promise<OwnedRows | undefined>
  /** Spaces whose logs hold what is to be forgotten, and up to where. */
  forgetfulSpaces(limit: number): Promise<readonly ForgetfulSpace[]>
  /** Claims that expired by `nowMs`, oldest first. */
  expiredClaims(nowMs: number, limit: number): Promise<readonly ExpiredClaim[]>
  /** When the next claim expires, milliseconds since the Unix epoch; undefined when nobody holds a row. */
  nextClaimExpiryAtMs(): Promise<number | undefined>
}
