import { RouseError, START } from "@rouse/protocol"
import type { Offset, Row } from "@rouse/protocol"
import { encodeCommit } from "../core/encoded.ts"
import type { Commit, CommitResult } from "../commit.ts"
import type { DueFilter, EntityFilter, EntityRecord, EntityRecordPage, LiveRows } from "../entity.ts"
import type { StoredReceipt } from "../receipt.ts"
import type { Keep, StoredSnapshot, Trimmable } from "../retention.ts"
import type {
  ExpiredClaim,
  ForgetfulSpace,
  OwnedRows,
  SpaceLive,
  SpaceRecord,
  SpaceRow,
  SpaceRowPage,
  SpaceRowQuery,
} from "../space.ts"
import type { Store } from "../store.ts"
import type { ReadRest, ReadResult, StreamInfo, StreamListener, StreamPathPage } from "../stream.ts"
import type { Timer, TimerPlace } from "../timer.ts"
import type { DueCursor, Secret, SubscribedStream, SubscriptionRecord } from "../subscription.ts"
import type { ObservationRecord } from "../observation.ts"
import type { WorkFilter, WorkPage, WorkRecord } from "../work.ts"
import { CommitQueue } from "./commit-queue.ts"
import type { Committed } from "./commit-queue.ts"
import { errorOf } from "./engine.ts"
import { storeFailure } from "./failure.ts"
import { Listeners } from "./listeners.ts"
import type { Reader } from "./reader.ts"
import type { Writer, WriterReply, WriterRequest } from "./writer-port.ts"

export interface SqliteStoreParts {
  readonly writer: Writer
  readonly reader: Reader
  /** Names the data directory in errors. */
  readonly where: string
  /** Ends the parts: the reader, the writer, and the claim on the directory. */
  readonly release: () => Promise<void>
  readonly commitsQueuedMax?: number
}

/**
 * The embedded engine.
 *
 *     commit ──▶ CommitQueue ──▶ Writer (a thread with the one writing connection) ──▶ WAL ──▶ disk
 *                                   │ outcomes
 *     caller ◀── result ◀───────────┴──▶ Listeners
 *     read ────▶ Reader (this thread, a read-only connection: the newest snapshot of the WAL)
 *
 * 1. A commit's promise is settled, and listeners are told, only after the group that holds it was synced.
 * 2. Reads never wait for writes, nor writes for reads.
 * 3. One process has the directory; within it this object has the only writing connection.
 */
export class SqliteStore implements Store {
  readonly #writer: Writer
  readonly #reader: Reader
  readonly #where: string
  readonly #release: () => Promise<void>
  readonly #queue: CommitQueue
  readonly #listeners = new Listeners()
  readonly #underWay = new Set<Promise<unknown>>()
  #closed: Promise<void> | undefined

  constructor(parts: SqliteStoreParts) {
    this.#writer = parts.writer
    this.#reader = parts.reader
    this.#where = parts.where
    this.#release = parts.release
    this.#queue = new CommitQueue(parts.writer, parts.commitsQueuedMax)
  }

  async commit(commit: Commit): Promise<CommitResult> {
    this.#refuseClosed()
    const committed = await this.#track(this.#queue.commit(encodeCommit(commit)))
    this.#announce(commit, committed)
    const { applied, streams, subscriptionDueAtMs, observationDueAtMs, spaces } = committed
    return {
      applied,
      streams,
      ...(subscriptionDueAtMs === null ? {} : { subscriptionDueAtMs }),
      ...(observationDueAtMs === null ? {} : { observationDueAtMs }),
      ...(spaces.length === 0 ? {} : { spaces }),
    }
  }

  async stream(path: string): Promise<StreamInfo | undefined> {
    return this.#read(() => this.#reader.stream(path))
  }

  async read(path: string, from: Offset, bytesMax: number, firstBytes?: number): Promise<ReadResult> {
    const read = this.#read(() => this.#reader.read(path, from, bytesMax, firstBytes))
    const { rest } = read
    if (rest === undefined) return read
    const checked: ReadRest = {
      get bytes() {
        return rest.bytes
      },
      next: () => this.#read(() => rest.next()),
    }
    return Object.assign(read, { rest: checked })
  }

  async readBack(path: string, before: Offset, bytesMax: number): Promise<ReadResult> {
    return this.#read(() => this.#reader.readBack(path, before, bytesMax))
  }

  async liveRows(url: string, path: string, collection?: string): Promise<LiveRows | undefined> {
    return this.#read(() => this.#reader.liveRows(url, path, collection))
  }

  async snapshot(path: string, atMost?: Offset): Promise<StoredSnapshot | undefined> {
    return this.#read(() => this.#reader.snapshot(path, atMost))
  }

  async streamPaths(page: StreamPathPage): Promise<readonly string[]> {
    return this.#read(() => this.#reader.streamPaths(page))
  }

  async trimmable(path: string, keep: Keep): Promise<Trimmable | undefined> {
    return this.#read(() => this.#reader.trimmable(path, keep))
  }

  async neededByForks(path: string): Promise<Offset | undefined> {
    return this.#read(() => this.#reader.neededByForks(path))
  }

  watchStream(path: string, listener: StreamListener): () => void {
    return this.#listeners.watchStream(path, listener)
  }

  watchEntities(listener: (record: EntityRecord) => void): () => void {
    return this.#listeners.watchEntities(listener)
  }

  async entity(url: string): Promise<EntityRecord | undefined> {
    return this.#read(() => this.#reader.entity(url))
  }

  async entities(filter: EntityFilter): Promise<EntityRecordPage> {
    return this.#read(() => this.#reader.entities(filter))
  }

  async rows(url: string, collection?: string): Promise<readonly Row[]> {
    return this.#read(() => this.#reader.rows(url, collection))
  }

  async rowCounts(url: string): Promise<Readonly<Record<string, number>>> {
    return this.#read(() => this.#reader.rowCounts(url))
  }

  async row(url: string, collection: string, key: string): Promise<Row | undefined> {
    return this.#read(() => this.#reader.row(url, collection, key))
  }

  async dueEntities(nowMs: number, limit: number, filter?: DueFilter): Promise<readonly EntityRecord[]> {
    return this.#read(() => this.#reader.dueEntities(nowMs, limit, filter))
  }

  async dueTimers(nowMs: number, limit: number, after?: TimerPlace): Promise<readonly Timer[]> {
    return this.#read(() => this.#reader.dueTimers(nowMs, limit, after))
  }

  async nextDueAtMs(): Promise<number | undefined> {
    return this.#read(() => this.#reader.nextDueAtMs())
  }

  async subscription(id: string): Promise<SubscriptionRecord | undefined> {
    return this.#read(() => this.#reader.subscriptions.one(id))
  }

  async subscribedStreams(id: string, limit: number): Promise<readonly SubscribedStream[]> {
    return this.#read(() => this.#reader.subscriptions.streams(id, limit))
  }

  async dueSubscriptions(nowMs: number, limit: number, after?: DueCursor): Promise<readonly SubscriptionRecord[]> {
    return this.#read(() => this.#reader.subscriptions.due(nowMs, limit, after))
  }

  async distantSubscriptions(afterMs: number, limit: number): Promise<readonly SubscriptionRecord[]> {
    return this.#read(() => this.#reader.subscriptions.distant(afterMs, limit))
  }

  async nextSubscriptionDueAtMs(): Promise<number | undefined> {
    return this.#read(() => this.#reader.subscriptions.nextDueAtMs())
  }

  watchSubscriptions(listener: (dueAtMs: number) => void): () => void {
    return this.#listeners.watchSubscriptions(listener)
  }

  async dueObservations(nowMs: number, limit: number): Promise<readonly ObservationRecord[]> {
    return this.#read(() => this.#reader.observations.due(nowMs, limit))
  }

  async nextObservationDueAtMs(): Promise<number | undefined> {
    return this.#read(() => this.#reader.observations.nextDueAtMs())
  }

  async observation(url: string, name: string): Promise<ObservationRecord | undefined> {
    return this.#read(() => this.#reader.observations.one(url, name))
  }

  async observations(url: string): Promise<readonly ObservationRecord[]> {
    return this.#read(() => this.#reader.observations.of(url))
  }

  watchObservations(listener: (dueAtMs: number) => void): () => void {
    return this.#listeners.watchObservations(listener)
  }

  async secrets(prefix: string): Promise<readonly Secret[]> {
    return this.#read(() => this.#reader.subscriptions.secrets(prefix))
  }

  async work(id: string): Promise<WorkRecord | undefined> {
    return this.#read(() => this.#reader.work.one(id))
  }

  async openWork(queue: string, name: string, limit: number): Promise<readonly WorkRecord[]> {
    return this.#read(() => this.#reader.work.open(queue, name, limit))
  }

  async closedWork(queue: string, name: string): Promise<number> {
    return this.#read(() => this.#reader.work.closed(queue, name))
  }

  async workPage(filter: WorkFilter): Promise<WorkPage> {
    return this.#read(() => this.#reader.work.page(filter))
  }

  async space(path: string): Promise<SpaceRecord | undefined> {
    return this.#read(() => this.#reader.spaces.one(path))
  }

  async spaces(page: { readonly after?: string; readonly limit: number }): Promise<readonly SpaceRecord[]> {
    return this.#read(() => this.#reader.spaces.page(page))
  }

  async spaceRow(path: string, collection: string, key: string): Promise<SpaceRow | undefined> {
    return this.#read(() => this.#reader.spaces.row(path, collection, key))
  }

  async spaceRows(path: string, query: SpaceRowQuery): Promise<SpaceRowPage> {
    return this.#read(() => this.#reader.spaces.rows(path, query))
  }

  async liveSpace(path: string): Promise<SpaceLive | undefined> {
    return this.#read(() => this.#reader.spaces.live(path))
  }

  async ownedRows(owner: string, limit: number): Promise<OwnedRows | undefined> {
    return this.#read(() => this.#reader.spaces.owned(owner, limit))
  }

  async forgetfulSpaces(limit: number): Promise<readonly ForgetfulSpace[]> {
    return this.#read(() => this.#reader.spaces.forgetful(limit))
  }

  async expiredClaims(nowMs: number, limit: number): Promise<readonly ExpiredClaim[]> {
    return this.#read(() => this.#reader.spaces.expired(nowMs, limit))
  }

  async nextClaimExpiryAtMs(): Promise<number | undefined> {
    return this.#read(() => this.#reader.spaces.nextExpiryAtMs())
  }

  async receipt(key: string): Promise<StoredReceipt | undefined> {
    return this.#read(() => this.#reader.receipt(key))
  }

  async sweep(nowMs: number): Promise<number> {
    const reply = await this.#ask({ kind: "sweep", nowMs })
    if (reply.kind !== "swept") throw new Error(`the writer answered a sweep with ${reply.kind}`)
    for (const path of reply.streams) this.#tellDeleted(path)
    return reply.count
  }

  async check(): Promise<void> {
    await this.#ask({ kind: "check" })
  }

  close(): Promise<void> {
    this.#closed ??= this.#finish()
    return this.#closed
  }

  async #finish(): Promise<void> {
    await Promise.allSettled(this.#underWay)
    await this.#release()
  }

  async #ask(request: WriterRequest): Promise<WriterReply> {
    this.#refuseClosed()
    const reply = await this.#track(this.#writer.request(request))
    if (reply.kind === "failed") throw errorOf(reply.failure)
    return reply
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work)
    try {
      return await work
    } finally {
      this.#underWay.delete(work)
    }
  }

  #read<T>(read: () => T): T {
    this.#refuseClosed()
    try {
      return read()
    } catch (error) {
      throw storeFailure(error, this.#where)
    }
  }

  #refuseClosed(): void {
    if (this.#closed !== undefined) throw new RouseError("SHUTTING_DOWN", "the store is closed")
  }

  #announce(commit: Commit, { applied, streams, versions, subscriptionDueAtMs, observationDueAtMs }: Committed): void {
    if (!applied) return
    if (subscriptionDueAtMs !== null) this.#listeners.tellSubscriptions(subscriptionDueAtMs)
    if (observationDueAtMs !== null) this.#listeners.tellObservations(observationDueAtMs)
    for (const [path, { next, closed }] of Object.entries(streams)) {
      this.#listeners.tellStream(path, { next, closed, deleted: false })
    }
    for (const op of commit.ops) if (op.op === "deleteStream") this.#tellDeleted(op.path)
    if (this.#listeners.hasEntityListeners) this.#announceEntities(commit, versions)
  }

  #announceEntities(commit: Commit, versions: readonly number[]): void {
    let put = 0
    for (const op of commit.ops) {
      if (op.op !== "putEntity") continue
      const version = versions[put]
      put += 1
      if (version !== undefined) this.#listeners.tellEntity({ ...op.record, version })
    }
  }

  #tellDeleted(path: string): void {
    this.#listeners.tellStream(path, { next: START, closed: false, deleted: true })
  }
}
