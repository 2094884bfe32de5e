import type { EntityUrl, ObserveFilter, Offset } from "@rouse/protocol"

/**
 * Observations as a store keeps them: which entity is to be told of what in which stream, and up to where it was.
 *
 * 1. Whether an append is news to an observation is decided in the commit that appends, by the observation's filter. What is too large to be
 *    looked at there counts as news.
 * 2. One that has news is pending, and due when its debounce is over. One that has none is due at its timeout, if it has any.
 * 3. Between the cursor and what first was news nothing else is: the cursor of one that becomes pending moves there by itself.
 * 4. An observation goes with the entity that observes. Of a stream that is deleted it waits for the next at that path, from its beginning.
 */
export interface ObservationReads {
  /** Those whose `dueAtMs` is at or before `nowMs`, earliest first. */
  dueObservations(nowMs: number, limit: number): Promise<readonly ObservationRecord[]>

  /** The earliest `dueAtMs` of any observation. */
  nextObservationDueAtMs(): Promise<number | undefined>

  observation(url: EntityUrl, name: string): Promise<ObservationRecord | undefined>

  /** An entity's observations, by name. */
  observations(url: EntityUrl): Promise<readonly ObservationRecord[]>

  /** Calls `listener` with the due time after each durable commit that left an observation it touched with one. Returns the unsubscriber. */
  watchObservations(listener: (dueAtMs: number) => void): () => void
}

/** What the caller decides about an observation. */
export interface ObservationInput {
  /** The entity that observes. */
  readonly url: EntityUrl
  readonly name: string
  /** Of the stream, which need not exist. */
  readonly path: string
  readonly filter: ObserveFilter
  readonly debounceMs: number
  /**
   * Null: where it was, or the stream's tail when it is new, has another path, or has nothing pending. What follows a cursor that is given
   * counts as news.
   */
  readonly cursor: Offset | null
  /** When it is due though nothing was news. */
  readonly timeoutAtMs: number | null
  /** It is not due before. */
  readonly notBeforeMs?: number
  /** The caller's own. Opaque to the store. */
  readonly config: string
}

export interface ObservationRecord extends Omit<ObservationInput, "cursor" | "notBeforeMs"> {
  /** Tells it from an earlier one of the same name. Never used again. */
  readonly serial: number
  /** Grows by one with every put: the compare-and-set token, together with `serial`. */
  readonly version: number
  readonly cursor: Offset
  readonly pending: boolean
  readonly dueAtMs: number | null
}

/** The observation is this one, and has this version. */
export interface ObservationGuard {
  readonly kind: "observation"
  readonly url: EntityUrl
  readonly name: string
  readonly serial: number
  readonly version: number
}

export interface ObservationOp {
  readonly op: "observation"
  readonly change: ObservationChange
}

export type ObservationChange =
  /**
   * Inserts or replaces, by entity and name.
   *
   * @throws {RouseError} `BAD_OFFSET` when the cursor is no offset of the stream, or beyond its tail; `RATE_LIMITED` when the stream has
   *   `OBSERVERS_MAX` observations.
   */
  | { readonly kind: "put"; readonly record: ObservationInput; readonly nowMs: number }
  /** Does nothing when there is none. */
  | { readonly kind: "drop"; readonly url: EntityUrl; readonly name: string }

/** Observations of one stream: an append to it that is news to all marks each of them. */
export const OBSERVERS_MAX = 10_000
/** An append of more bytes is not looked at in its commit. */
export const JUDGED_BYTES_MAX = 262_144
