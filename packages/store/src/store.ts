import type { EntityStatus, EntityUrl, Json, JsonObject, Offset, Row } from "@rouse/protocol"
import type { SubscriptionOp, SubscriptionReads } from "./subscription.ts"

/**
 * The one store. Everything that must be true together is one `Commit`: when `commit` resolves, all of it is on disk and
 * visible to every later read; when it rejects, none of it ever happened.
 *
 * Invariants of every engine, checked by the contract suite in `@rouse/testkit/store-suite`:
 * 1. Commits are atomic, durable when acknowledged, and applied in one total order.
 * 2. A guard is evaluated in the same transaction as the operations behind it.
 * 3. A stream's offsets only grow; bytes at an offset never change.
 * 4. Reads never write, and a read begun after a commit resolved sees it.
 * 5. Appends are announced to listeners after they are durable, never before.
 */
export interface Store extends SubscriptionReads {
  /**
   * Applies all operations if all guards hold.
   *
   * @throws {RouseError} `CONFLICT` (a version, timer or receipt guard failed), `FENCED` (a lease guard failed), `UNKNOWN_STREAM`,
   *   `GONE`, `FORK_SOURCE_GONE`, `ALREADY_EXISTS`, `STREAM_CLOSED`, `CONTENT_TYPE_MISMATCH`, `SEQUENCE_REGRESSION`, `SEQUENCE_GAP`, `STALE_PRODUCER`,
   *   `BAD_REQUEST` (a new producer epoch not starting at 0), `UNKNOWN_SUBSCRIPTION`, `ACK_REFUSED`, `UNKNOWN_ENTITY` (a row of an entity that neither exists nor is put
   *   later in this commit), `BAD_OFFSET` and `GONE` (a snapshot, trim or pin at what is no position, or no longer kept), `OVERLOADED` (too many commits wait), `STORE_UNAVAILABLE` (disk full, read-only or failing: nothing was written).
   */
  commit(commit: Commit): Promise<CommitResult>

  /**
   * A stream's metadata; undefined when there is none, or it has expired.
   *
   * @throws {RouseError} `GONE` when it was deleted or has expired and is kept for its forks.
   */
  stream(path: string): Promise<StreamInfo | undefined>

  /**
   * Bytes from `from` on, whole append batches, at least one if there is any and about `bytesMax` in all.
   *
   * @throws {RouseError} `UNKNOWN_STREAM`, `BAD_OFFSET` when `from` is not an offset of this stream, `GONE` when it is no longer kept, or
   *   only for its forks.
   */
  read(path: string, from: Offset, bytesMax: number): Promise<ReadResult>

  /**
   * Whole batches that end at `before`: at least one if any is kept, and about `bytesMax` in all. To look for what is new from the end.
   *
   * @throws {RouseError} as `read`.
   */
  readBack(path: string, before: Offset, bytesMax: number): Promise<ReadResult>

  /** An entity's live rows, of one collection when given, and its log's metadata, both as one commit left them; undefined when there is no such log. */
  liveRows(url: EntityUrl, path: string, collection?: string): Promise<LiveRows | undefined>

  /** The newest snapshot kept of a stream, or the newest at or before an offset. */
  snapshot(path: string, atMost?: Offset): Promise<StoredSnapshot | undefined>

  /** Paths of streams that begin with `prefix` and sort after `after` (byte order). */
  streamPaths(page: StreamPathPage): Promise<readonly string[]>

  /** How far a `trimStream` could go now without taking what the policy or a pin keeps; undefined when nowhere. */
  trimmable(path: string, keep: Keep): Promise<Trimmable | undefined>

  /**
   * Up to where the stream's bytes are read by its forks, whether it is deleted or not: what is at this offset or beyond it no fork
   * needs. Undefined when it has no forks.
   */
  neededByForks(path: string): Promise<Offset | undefined>

  /** Calls `listener` after each durable append, close or delete of one stream. Returns the unsubscriber. One `Map` entry a watched stream. */
  watchStream(path: string, listener: StreamListener): () => void

  /** Calls `listener` after each durable commit that put an entity, with its record. Returns the unsubscriber. */
  watchEntities(listener: (record: EntityRecord) => void): () => void

  entity(url: EntityUrl): Promise<EntityRecord | undefined>

  /** Entities by newest whole second of activity, then address. */
  entities(query: EntityFilter): Promise<EntityRecordPage>

  /** Live rows of an entity, sorted by collection and key (byte order); of one collection, when given. */
  rows(url: EntityUrl, collection?: string): Promise<readonly Row[]>

  /** How many live rows each collection of an entity has. */
  rowCounts(url: EntityUrl): Promise<Readonly<Record<string, number>>>

  row(url: EntityUrl, collection: string, key: string): Promise<Row | undefined>

  /** Entities whose `dueAtMs` is at or before `nowMs`, earliest first; of one status and type, when given. */
  dueEntities(nowMs: number, limit: number, filter?: DueFilter): Promise<readonly EntityRecord[]>

  /** Timers at or before `nowMs`, earliest first. */
  dueTimers(nowMs: number, limit: number): Promise<readonly Timer[]>

  /** The earliest `dueAtMs` of any entity or timer. */
  nextDueAtMs(): Promise<number | undefined>

  /** What a request with this idempotency key was answered. An expired one is there until it is swept. */
  receipt(key: string): Promise<StoredReceipt | undefined>

  /** Drops expired receipts and expired streams, and what was trimmed, in bounded batches. Returns how many. */
  sweep(nowMs: number): Promise<number>

  /** Whether a write would be possible now. Throws `STORE_UNAVAILABLE` when not. */
  check(): Promise<void>

  /** Waits for commits under way, then releases everything. Later calls throw `SHUTTING_DOWN`. */
  close(): Promise<void>
}

export interface Commit {
  readonly guards?: readonly Guard[]
  readonly ops: readonly Op[]
}

export type Guard =
  /** The entity's record has this version; 0: there is none. */
  | { readonly kind: "version"; readonly url: EntityUrl; readonly version: number }
  /**
   * The entity's epoch is this one. With `seq`: `seq` is new under this epoch and is recorded; a repeated one makes the whole
   * commit a no-op that is acknowledged (`applied: false`).
   */
  | { readonly kind: "lease"; readonly url: EntityUrl; readonly epoch: number; readonly seq?: number }
  /** This timer still exists. */
  | { readonly kind: "timer"; readonly id: string }
  /** No receipt has this key. */
  | { readonly kind: "noReceipt"; readonly key: string }
  /** The subscription's record has this version; 0: there is none. */
  | { readonly kind: "subscription"; readonly id: string; readonly version: number }

export type Op =
  | SubscriptionOp
  | CreateStreamOp
  | ForkStreamOp
  | AppendOp
  | { readonly op: "deleteStream"; readonly path: string }
  /** Begins a stream's time to live anew, as an append does. Does nothing when it has none or is not there. */
  | { readonly op: "touchStream"; readonly path: string; readonly nowMs: number }
  /** Inserts or replaces the record; its stored version is the old one plus 1. A changed epoch forgets the recorded `seq`. */
  | { readonly op: "putEntity"; readonly record: Omit<EntityRecord, "version"> }
  /** Removes the record and its rows and timers. The stream is deleted by its own operation. */
  | { readonly op: "deleteEntity"; readonly url: EntityUrl }
  | {
      readonly op: "putRow"
      readonly url: EntityUrl
      readonly collection: string
      readonly key: string
      readonly value: Json
      /** The value as JSON text, from a caller who has it already. */
      readonly json?: string
    }
  | { readonly op: "deleteRow"; readonly url: EntityUrl; readonly collection: string; readonly key: string }
  | { readonly op: "putTimer"; readonly timer: Timer }
  | { readonly op: "deleteTimer"; readonly id: string }
  | { readonly op: "putReceipt"; readonly receipt: StoredReceipt }
  | PutSnapshotOp
  | TrimStreamOp
  | PutPinOp
  | { readonly op: "dropPin"; readonly path: string; readonly holder: string }

/**
 * Makes a stream. If one exists with the same content type, time to live, expiry and closed state, nothing is done and `created` is false.
 *
 * @throws {RouseError} `ALREADY_EXISTS` when it exists and differs.
 * @see Durable Streams Protocol §5.1
 */
export interface CreateStreamOp {
  readonly op: "createStream"
  readonly path: string
  readonly contentType: string
  readonly data?: Uint8Array
  readonly closed?: boolean
  readonly ttlSeconds?: number
  readonly expiresAtMs?: number
  readonly nowMs: number
}

/**
 * Makes a stream that begins with another's bytes, up to a point, without copying them. The two go on apart. If it exists as asked for,
 * nothing is done and `created` is false.
 *
 * Producers and `Stream-Seq` are not inherited. A source that is deleted or expires is kept for its forks.
 *
 * @throws {RouseError} `ALREADY_EXISTS` when something else is at the path, `UNKNOWN_STREAM` when there is no source, `FORK_SOURCE_GONE` when it
 *   was deleted, `CONTENT_TYPE_MISMATCH`, `BAD_OFFSET` (`details.field` is `subOffset` when that is at fault), `BAD_REQUEST` when
 *   the source has as many streams above it as may be.
 * @see Durable Streams Protocol §4.2
 */
export interface ForkStreamOp {
  readonly op: "forkStream"
  readonly path: string
  /** The path of the stream to fork. */
  readonly source: string
  /** Where to leave it. Default: its tail. */
  readonly offset?: Offset
  /** How much of the batch behind `offset` to take along: bytes, or messages of a JSON stream. */
  readonly subOffset?: number
  /** Default: the source's. */
  readonly contentType?: string
  readonly data?: Uint8Array
  readonly closed?: boolean
  /** Neither this nor `expiresAtMs`: the source's, from now on. */
  readonly ttlSeconds?: number
  readonly expiresAtMs?: number
  readonly nowMs: number
}

/**
 * Adds one batch to a stream. `data` may be empty only together with `close`.
 *
 * @see Durable Streams Protocol §5.2, §5.2.1
 */
export interface AppendOp {
  readonly op: "append"
  readonly path: string
  /** In wire bytes: for JSON streams see `frameJson`. */
  readonly data: Uint8Array
  /** Refused when the stream's differs. */
  readonly contentType?: string
  readonly producer?: { readonly id: string; readonly epoch: number; readonly seq: number }
  readonly streamSeq?: string
  readonly close?: boolean
  /** It is news to no subscription: for what subscriptions themselves write. */
  readonly silent?: boolean
  readonly nowMs: number
}

/**
 * Keeps what a stream amounts to at an offset, in the stream's own wire bytes. It replaces an older one, but for that at the horizon; an
 * older one than the newest is dropped.
 */
export interface PutSnapshotOp {
  readonly op: "putSnapshot"
  readonly path: string
  readonly at: Offset
  readonly data: Uint8Array
}

/**
 * Raises a stream's horizon: batches before `to` are no longer readable from here on, and dropped by sweeps. Positions do not move.
 * `to` must be the end of a batch, and not the tail. Does nothing when the horizon is there or beyond.
 *
 * @throws {RouseError} `CONFLICT` when a pin needs what would go.
 */
export interface TrimStreamOp {
  readonly op: "trimStream"
  readonly path: string
  readonly to: Offset
  /** What the stream amounts to at `to`: kept as its snapshot there for as long as the horizon is. */
  readonly data?: Uint8Array
}

/** Keeps a stream's batches from `at` on from being trimmed, until it is dropped or the stream is deleted. One a holder. */
export interface PutPinOp {
  readonly op: "putPin"
  readonly path: string
  readonly holder: string
  readonly at: Offset
}

export interface CommitResult {
  /** False when a lease `seq` or a producer sequence had been applied before. */
  readonly applied: boolean
  /** What became of each stream that the commit created, appended to or closed. */
  readonly streams: Readonly<Record<string, StreamOutcome>>
  /** The earliest time at which a subscription that the commit touched is due. */
  readonly subscriptionDueAtMs?: number
}

export interface StreamOutcome {
  readonly next: Offset
  readonly closed: boolean
  /** For a `createStream`: whether it was new. */
  readonly created?: boolean
  /** For an append by a producer: the highest accepted sequence and its epoch. */
  readonly producer?: { readonly epoch: number; readonly seq: number }
}

export interface StreamInfo {
  readonly path: string
  readonly contentType: string
  /** The tail: where the next append goes. */
  readonly next: Offset
  readonly closed: boolean
  readonly createdAtMs: number
  readonly ttlSeconds?: number
  readonly expiresAtMs?: number
  /** Tells this stream from an earlier one at the same path. */
  readonly incarnation: string
  /** The first offset that can be read. Absent: the beginning. */
  readonly horizon?: Offset
}

export interface LiveRows {
  readonly info: StreamInfo
  /** Sorted by collection and key (byte order), each value as JSON text. */
  readonly rows: readonly LiveRow[]
}

export interface LiveRow {
  readonly collection: string
  readonly key: string
  readonly json: string
}

export interface StoredSnapshot {
  readonly info: StreamInfo
  readonly at: Offset
  readonly data: Uint8Array
}

export interface StreamPathPage {
  readonly prefix: string
  readonly after?: string
  readonly limit: number
}

/** What a trim must leave: batches that satisfy any of these stay. */
export interface Keep {
  readonly nowMs: number
  /** Batches younger than this, give or take the hour between two marks of the time: never less, up to an hour more. */
  readonly ageMs?: number
  /** About so many bytes before the tail. */
  readonly bytes?: number
}

export interface Trimmable {
  readonly to: Offset
  /** Bytes between the horizon and `to`. */
  readonly bytes: number
}

export interface ReadResult {
  readonly info: StreamInfo
  /** The batches in order, one after the other, in wire bytes. */
  readonly data: Uint8Array
  /** The same, batch by batch. Made when it is asked for, while the store is open; what was trimmed since is one piece. */
  readonly chunks: readonly Uint8Array[]
  /**
   * Gives the memory of `data` back now, rather than when it is collected: for a reader of much. Absent where that gains nothing. Nothing may
   * use `data` or `chunks` afterwards.
   */
  readonly release?: () => void
  /** Where the read began: `from`, resolved. */
  readonly start: Offset
  readonly next: Offset
  /** Whether `next` was the tail when this was read. */
  readonly upToDate: boolean
}

export type StreamListener = (event: {
  readonly next: Offset
  readonly closed: boolean
  readonly deleted: boolean
}) => void

export interface EntityRecord {
  readonly url: EntityUrl
  readonly type: string
  readonly id: string
  readonly status: EntityStatus
  /** Grows by one with every put: the compare-and-set token. */
  readonly version: number
  /** The newest lease's fencing token. Only grows. */
  readonly epoch: number
  readonly parent: EntityUrl | null
  readonly createdAtMs: number
  readonly activeAtMs: number
  /** When the control plane must look at it again: a queued wake's time, a running one's lease expiry. */
  readonly dueAtMs: number | null
  readonly tags: Readonly<Record<string, string>>
  readonly args: JsonObject
  /** The control plane's own state of the entity. Opaque to the store. */
  readonly control: JsonObject
}

export interface DueFilter {
  readonly status?: EntityStatus
  readonly type?: string
}

export interface EntityFilter {
  readonly type?: string
  readonly status?: EntityStatus
  readonly tag?: { readonly name: string; readonly value?: string }
  readonly parent?: EntityUrl
  /** Only those whose `control.dead`, a count, is over 0. */
  readonly hasDead?: boolean
  readonly after?: string
  readonly limit: number
}

export interface EntityRecordPage {
  readonly entities: readonly EntityRecord[]
  readonly next?: string
}

export interface Timer {
  readonly id: string
  readonly dueAtMs: number
  /** The entity it belongs to. */
  readonly url: EntityUrl
  readonly payload: Json
}

export interface StoredReceipt {
  readonly key: string
  /** Of the request, so that another one under the same key is refused. */
  readonly fingerprint: string
  readonly response: Json
  readonly expiresAtMs: number
}
