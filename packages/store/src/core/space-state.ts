import type { SharedDefinition } from "@rouse/protocol"
import type { SpaceRow } from "../space.ts"

/** What the decisions need to know about a space. */
export interface SpaceState {
  /** The identity of its stream: a space made again at the same path is another. */
  readonly stream: number
  readonly version: number
  readonly definition: SharedDefinition
  readonly createdAtMs: number
  readonly rows: number
  /** Up to where the log holds what is to be forgotten; 0: nothing. */
  readonly forget: number
}

export type SpaceRowState = SpaceRow

/** What the decisions look spaces up in. */
export interface SpaceView {
  space(stream: number): SpaceState | undefined
  row(stream: number, collection: string, key: string): SpaceRowState | undefined
  hasRows(stream: number, collection: string): boolean
  /** Rows of a queue that are free at `nowMs`: those of expired claims first, oldest expiry first, then in the order they were made. */
  claimable(stream: number, collection: string, queue: string, nowMs: number, limit: number): readonly SpaceRowState[]
  /** Rows that a holder has by one claim. */
  held(stream: number, holder: string, claim: string): readonly SpaceRowState[]
  /** How many rows a holder has at `nowMs`. */
  heldCount(stream: number, holder: string, nowMs: number): number
}

/** A row with the queues that it stands in: none when it is done. */
export interface QueuedRow {
  readonly row: SpaceRowState
  /** The queues that its values are of, also when it is done: rows are read by them. */
  readonly indexed: readonly string[]
  readonly queues: readonly string[]
}

/** One change of the tables of spaces. */
export type SpaceTableWrite =
  | { readonly kind: "putSpace"; readonly path: string; readonly state: SpaceState; readonly isNew: boolean }
  | { readonly kind: "dropSpace"; readonly stream: number }
  /** 0: the log holds nothing to forget. */
  | { readonly kind: "markSpace"; readonly stream: number; readonly forget: number }
  | { readonly kind: "countRows"; readonly stream: number; readonly by: number }
  | {
      readonly kind: "putSpaceRow"
      readonly stream: number
      readonly old: QueuedRow | undefined
      readonly next: QueuedRow
    }
  | { readonly kind: "dropSpaceRow"; readonly stream: number; readonly old: QueuedRow }
