import type { MoveMark } from "../core/move-mark.ts"
import type { MoveRecord } from "./record.ts"
import type { MoveTable } from "./tables.ts"

/** What tells a store from every other, and its things from those that were. */
export interface StoreFacts {
  readonly nonce: string
  /** No identity above it was ever given to a stream, an entity, a subscription or an observation. */
  readonly idLast: number
}

export interface StoreReader {
  facts(): Promise<StoreFacts>
  /**
   * All records of a table, in batches. With `sorted` in the order of its keys, by bytes; else as they lie.
   *
   * @throws {RouseError} `STORE_UNAVAILABLE`, `STORE_DAMAGED`.
   */
  read(table: MoveTable, options?: { readonly sorted: boolean }): AsyncIterable<readonly MoveRecord[]>
  /** The parents of those of these entities that there are. */
  parents(urls: readonly string[]): Promise<ReadonlyMap<string, string | null>>
}

export interface StoreWriter {
  /** Tables come in their order, each whole. */
  write(table: MoveTable, records: readonly MoveRecord[]): Promise<void>
  /** After the last record: what could not be written with it. */
  finish(facts: StoreFacts): Promise<void>
}

/** What a place is found to hold, before anything is done to it. */
export type Found =
  /** Nothing, or a store without a record. */
  { readonly kind: "empty" } | { readonly kind: "store"; readonly nonce: string; readonly mark: MoveMark | undefined }

/**
 * One end of a move: a place that may hold a store.
 *
 * 1. Between `claim` and `close` no other process changes the store, or opens it.
 * 2. A mark is durable when it was set.
 */
export interface MoveEnd {
  /** For people: no password. */
  readonly where: string
  /** @throws {RouseError} `CONFLICT` with `details.busy` when a server runs on it; `STORE_UNAVAILABLE`, `STORE_DAMAGED`. */
  claim(role: "source" | "target"): Promise<Found>
  /** Of a store that was found. Brings its tables to this version first. */
  reader(): Promise<StoreReader>
  /** Of a target: drops what is there, makes the tables, and sets the mark. `source` is asked for what records do not say. */
  begin(mark: MoveMark, source: StoreReader): Promise<StoreWriter>
  /** Of a target that was begun. */
  setMark(mark: MoveMark): Promise<void>
  /** The target of a move that is done: whoever opens it now goes on with it. */
  publish(): Promise<void>
  /** Gives the claim back. */
  close(): Promise<void>
}
