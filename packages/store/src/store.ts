import type { EntityUrl, Offset, Row } from "@rouse/protocol"
import type { Commit, CommitResult } from "./commit.ts"
import type { DueFilter, EntityFilter, EntityRecord, EntityRecordPage, LiveRows } from "./entity.ts"
import type { ObservationReads } from "./observation.ts"
import type { StoredReceipt } from "./receipt.ts"
import type { Offload } from "./offload.ts"
import type { Replicas } from "./replica.ts"
import type { Keep, StoredSnapshot, Trimmable } from "./retention.ts"
import type { SpaceReads } from "./space.ts"
import type { ReadResult, StreamInfo, StreamListener, StreamPathPage } from "./stream.ts"
import type { SubscriptionReads } from "./subscription.ts"
import type { Timer, TimerPlace } from "./timer.ts"
import type { WorkReads } from "./work.ts"

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
export interface Store extends SubscriptionReads, ObservationReads, WorkReads, SpaceReads {
  /** The processes that serve this store. Absent where there can only be one. */
  readonly replicas?: Replicas

  /** Moves old parts of logs to a bucket. Absent where there is none. */
  readonly offload?: Offload | undefined

  /**
   * Applies all operations if all guards hold.
   *
   * @throws {RouseError} `CONFLICT` (a version, timer, receipt, subscription, observation or work guard failed), `FENCED` (a lease guard failed), `UNKNOWN_STREAM`,
   *   `GONE`, `FORK_SOURCE_GONE`, `ALREADY_EXISTS`, `STREAM_CLOSED`, `CONTENT_TYPE_MISMATCH`, `SEQUENCE_REGRESSION`, `SEQUENCE_GAP`, `STALE_PRODUCER`,
   *   `BAD_REQUEST` (a new producer epoch not starting at 0), `UNKNOWN_SUBSCRIPTION`, `LIMIT_REACHED` (as many subscriptions as may be), `ACK_REFUSED`, `RATE_LIMITED` (a stream with too many observations), `UNKNOWN_ENTITY` (a row of an entity that neither exists nor is put
   *   later in this commit), `BAD_OFFSET` and `GONE` (a snapshot, trim or pin at what is no position, or no longer kept), `OVERLOADED` (too many commits wait), `STORE_UNAVAILABLE` (disk full, read-only or failing: nothing was written),
   *   and as `SpaceChange` and `SpaceWrite` say.
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
   * @param firstBytes With it, `data` need not be more than about so much, and `rest` then has what follows. An engine may ignore it.
   * @throws {RouseError} `UNKNOWN_STREAM`, `BAD_OFFSET` when `from` is not an offset of this stream, `GONE` when it is no longer kept, or
   *   only for its forks; `BUCKET_UNAVAILABLE` and `BUCKET_DAMAGED` for what is in a bucket.
   */
  read(path: string, from: Offset, bytesMax: number, firstBytes?: number): Promise<ReadResult>

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

  /** Paths of streams that begin with `prefix` and sort after `after` (byte order). What is deleted and kept for its forks is none. */
  streamPaths(page: StreamPathPage): Promise<readonly string[]>

  /** How far a `trimStream` could go now without taking what the policy or a pin keeps; undefined when nowhere. */
  trimmable(path: string, keep: Keep): Promise<Trimmable | undefined>

  /**
   * Up to where the stream's bytes are read by its forks, whether it is deleted or not: what is at this offset or beyond it no fork
   * needs. Undefined when it has no forks.
   */
  neededByForks(path: string): Promise<Offset | undefined>

  /**
   * Calls `listener` after each durable append, close or delete of one stream. Returns the unsubscriber. One `Map` entry a watched stream.
   * A store of several replicas may tell several of them as one, and once what was durable before it watched.
   */
  watchStream(path: string, listener: StreamListener): () => void

  /** Calls `listener` after each durable commit that put an entity, with its record; else as {@link watchStream}. Returns the unsubscriber. */
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

  /** Timers at or before `nowMs`, earliest first, then by id (byte order); those behind a place, when given. */
  dueTimers(nowMs: number, limit: number, after?: TimerPlace): Promise<readonly Timer[]>

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
