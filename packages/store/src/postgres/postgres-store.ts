import { RouseError } from "@rouse/protocol"
import type { Offset, Row } from "@rouse/protocol"
import { announceCommit, announceDeleted } from "./announce.ts"
import type { Announcer } from "./announcer.ts"
import type { Watcher } from "./watcher.ts"
import type { Commit, CommitResult } from "../commit.ts"
import type { DueFilter, EntityFilter, EntityRecord, EntityRecordPage, LiveRows } from "../entity.ts"
import type { StoredReceipt } from "../receipt.ts"
import type { Keep, StoredSnapshot, Trimmable } from "../retention.ts"
import type { Offload } from "../offload.ts"
import type { Replicas } from "../replica.ts"
import type { Store } from "../store.ts"
import type { ReadResult, StreamInfo, StreamListener, StreamPathPage } from "../stream.ts"
import type { Timer, TimerPlace } from "../timer.ts"
import type { DueCursor, Secret, SubscribedStream, SubscriptionRecord } from "../subscription.ts"
import type { WorkFilter, WorkPage, WorkRecord } from "../work.ts"
import type { ObservationRecord } from "../observation.ts"
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
import type { ObservationReader } from "./observation-reader.ts"
import type { SpaceReader } from "./space-reader.ts"
import type { WorkReader } from "./work-reader.ts"
import type { CommitLanes } from "./commit-lanes.ts"
import type { Connection } from "./connection.ts"
import type { EntityReader } from "./entity-reader.ts"
import type { RetentionReader } from "./retention-reader.ts"
import { infoOf } from "./stream-reader.ts"
import type { StreamReader } from "./stream-reader.ts"
import type { SubscriptionReader } from "./subscription-reader.ts"

export interface PostgresStoreParts {
  readonly lanes: CommitLanes
  readonly connection: Connection
  readonly streams: StreamReader
  readonly retention: RetentionReader
  readonly entities: EntityReader
  readonly subscriptions: SubscriptionReader
  readonly observations: ObservationReader
  readonly spaces: SpaceReader
  readonly work: WorkReader
  readonly watcher: Watcher
  readonly announcer: Announcer
  readonly replicas: Replicas
  readonly offload: Offload | undefined
  readonly release: () => Promise<void>
}

/**
 * The distributed engine: any number of replicas over one database, none of them special.
 *
 *     commit ──▶ CommitLanes ──▶ a Committer ──▶ one call of the database a group ──▶ outcomes
 *     read ────▶ a connection ──▶ the newest state
 *
 * 1. A commit's promise is settled only after the transaction that holds it is durable.
 * 2. Nothing is decided on what this replica remembers: whatever a commit was planned on is compared behind the database's locks.
 */
export class PostgresStore implements Store {
  readonly #parts: PostgresStoreParts
  readonly #underWay = new Set<Promise<unknown>>()
  #closed: Promise<void> | undefined

  constructor(parts: PostgresStoreParts) {
    this.#parts = parts
  }

  get replicas(): Replicas {
    return this.#parts.replicas
  }

  get offload(): Offload | undefined {
    const { offload } = this.#parts
    return offload && { step: (nowMs) => this.#track(() => offload.step(nowMs)) }
  }

  async commit(commit: Commit): Promise<CommitResult> {
    const plan = await this.#track(() => this.#parts.lanes.commit(commit))
    announceCommit(commit, plan, this.#parts)
    const { applied, streams, subscriptionDueAtMs, observationDueAtMs, spaces } = plan
    return {
      applied,
      streams,
      ...(subscriptionDueAtMs === null ? {} : { subscriptionDueAtMs }),
      ...(observationDueAtMs === null ? {} : { observationDueAtMs }),
      ...(spaces.length === 0 ? {} : { spaces }),
    }
  }

  stream(path: string): Promise<StreamInfo | undefined> {
    return this.#track(async () => {
      const found = await this.#parts.streams.alive(path)
      return found && infoOf(found.state)
    })
  }

  read(path: string, from: Offset, bytesMax: number): Promise<ReadResult> {
    return this.#track(() => this.#parts.streams.read(path, from, bytesMax))
  }

  readBack(path: string, before: Offset, bytesMax: number): Promise<ReadResult> {
    return this.#track(() => this.#parts.streams.readBack(path, before, bytesMax))
  }

  liveRows(url: string, path: string, collection?: string): Promise<LiveRows | undefined> {
    return this.#track(() => this.#parts.streams.liveRows(url, path, collection))
  }

  snapshot(path: string, atMost?: Offset): Promise<StoredSnapshot | undefined> {
    return this.#track(() => this.#parts.retention.snapshot(path, atMost))
  }

  streamPaths(page: StreamPathPage): Promise<readonly string[]> {
    return this.#track(() => this.#parts.retention.paths(page))
  }

  trimmable(path: string, keep: Keep): Promise<Trimmable | undefined> {
    return this.#track(() => this.#parts.retention.trimmable(path, keep))
  }

  neededByForks(path: string): Promise<Offset | undefined> {
    return this.#track(() => this.#parts.retention.neededByForks(path))
  }

  watchStream(path: string, listener: StreamListener): () => void {
    return this.#parts.watcher.watchStream(path, listener)
  }

  watchEntities(listener: (record: EntityRecord) => void): () => void {
    return this.#parts.watcher.watchEntities(listener)
  }

  watchSubscriptions(listener: (dueAtMs: number) => void): () => void {
    return this.#parts.watcher.watchSubscriptions(listener)
  }

  entity(url: string): Promise<EntityRecord | undefined> {
    return this.#track(() => this.#parts.entities.one(url))
  }

  entities(filter: EntityFilter): Promise<EntityRecordPage> {
    return this.#track(() => this.#parts.entities.page(filter))
  }

  rows(url: string, collection?: string): Promise<readonly Row[]> {
    return this.#track(() => this.#parts.entities.rows(url, collection))
  }

  rowCounts(url: string): Promise<Readonly<Record<string, number>>> {
    return this.#track(() => this.#parts.entities.rowCounts(url))
  }

  row(url: string, collection: string, key: string): Promise<Row | undefined> {
    return this.#track(() => this.#parts.entities.row(url, collection, key))
  }

  dueEntities(nowMs: number, limit: number, filter?: DueFilter): Promise<readonly EntityRecord[]> {
    return this.#track(() => this.#parts.entities.due(nowMs, limit, filter))
  }

  dueTimers(nowMs: number, limit: number, after?: TimerPlace): Promise<readonly Timer[]> {
    return this.#track(() => this.#parts.entities.dueTimers(nowMs, limit, after))
  }

  nextDueAtMs(): Promise<number | undefined> {
    return this.#track(() => this.#parts.entities.nextDueAtMs())
  }

  receipt(key: string): Promise<StoredReceipt | undefined> {
    return this.#track(() => this.#parts.entities.receipt(key))
  }

  work(id: string): Promise<WorkRecord | undefined> {
    return this.#track(() => this.#parts.work.one(id))
  }

  openWork(queue: string, name: string, limit: number): Promise<readonly WorkRecord[]> {
    return this.#track(() => this.#parts.work.open(queue, name, limit))
  }

  closedWork(queue: string, name: string): Promise<number> {
    return this.#track(() => this.#parts.work.closed(queue, name))
  }

  workPage(filter: WorkFilter): Promise<WorkPage> {
    return this.#track(() => this.#parts.work.page(filter))
  }

  subscription(id: string): Promise<SubscriptionRecord | undefined> {
    return this.#track(() => this.#parts.subscriptions.one(id))
  }

  subscribedStreams(id: string, limit: number): Promise<readonly SubscribedStream[]> {
    return this.#track(() => this.#parts.subscriptions.streams(id, limit))
  }

  dueSubscriptions(nowMs: number, limit: number, after?: DueCursor): Promise<readonly SubscriptionRecord[]> {
    return this.#track(() => this.#parts.subscriptions.due(nowMs, limit, after))
  }

  distantSubscriptions(afterMs: number, limit: number): Promise<readonly SubscriptionRecord[]> {
    return this.#track(() => this.#parts.subscriptions.distant(afterMs, limit))
  }

  nextSubscriptionDueAtMs(): Promise<number | undefined> {
    return this.#track(() => this.#parts.subscriptions.nextDueAtMs())
  }

  dueObservations(nowMs: number, limit: number): Promise<readonly ObservationRecord[]> {
    return this.#track(() => this.#parts.observations.due(nowMs, limit))
  }

  nextObservationDueAtMs(): Promise<number | undefined> {
    return this.#track(() => this.#parts.observations.nextDueAtMs())
  }

  observation(url: string, name: string): Promise<ObservationRecord | undefined> {
    return this.#track(() => this.#parts.observations.one(url, name))
  }

  observations(url: string): Promise<readonly ObservationRecord[]> {
    return this.#track(() => this.#parts.observations.of(url))
  }

  watchObservations(listener: (dueAtMs: number) => void): () => void {
    return this.#parts.watcher.watchObservations(listener)
  }

  space(path: string): Promise<SpaceRecord | undefined> {
    return this.#track(() => this.#parts.spaces.one(path))
  }

  spaces(page: { readonly after?: string; readonly limit: number }): Promise<readonly SpaceRecord[]> {
    return this.#track(() => this.#parts.spaces.page(page))
  }

  spaceRow(path: string, collection: string, key: string): Promise<SpaceRow | undefined> {
    return this.#track(() => this.#parts.spaces.row(path, collection, key))
  }

  spaceRows(path: string, query: SpaceRowQuery): Promise<SpaceRowPage> {
    return this.#track(() => this.#parts.spaces.rows(path, query))
  }

  liveSpace(path: string): Promise<SpaceLive | undefined> {
    return this.#track(() => this.#parts.spaces.live(path))
  }

  ownedRows(owner: string, limit: number): Promise<OwnedRows | undefined> {
    return this.#track(() => this.#parts.spaces.owned(owner, limit))
  }

  forgetfulSpaces(limit: number): Promise<readonly ForgetfulSpace[]> {
    return this.#track(() => this.#parts.spaces.forgetful(limit))
  }

  expiredClaims(nowMs: number, limit: number): Promise<readonly ExpiredClaim[]> {
    return this.#track(() => this.#parts.spaces.expired(nowMs, limit))
  }

  nextClaimExpiryAtMs(): Promise<number | undefined> {
    return this.#track(() => this.#parts.spaces.nextExpiryAtMs())
  }

  secrets(prefix: string): Promise<readonly Secret[]> {
    return this.#track(() => this.#parts.subscriptions.secrets(prefix))
  }

  sweep(nowMs: number): Promise<number> {
    return this.#track(async () => {
      const [row] = await this.#parts.connection.repeat(() => this.#parts.connection.call("sweep_1", [nowMs]))
      const paths = (row?.["paths"] ?? []) as readonly string[]
      for (const path of paths) announceDeleted(path, this.#parts)
      return Number(row?.["dropped"])
    })
  }

  /** Proves that a write is possible, by making one. */
  check(): Promise<void> {
    return this.#track(async () => {
      await this.#parts.connection.read(
        "INSERT INTO ~meta (key, value) VALUES ('checked', '1') ON CONFLICT (key) DO UPDATE SET value = '1'",
        [],
      )
    })
  }

  close(): Promise<void> {
    this.#closed ??= this.#finish()
    return this.#closed
  }

  async #finish(): Promise<void> {
    await Promise.allSettled(this.#underWay)
    await this.#parts.release()
  }

  async #track<T>(begin: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) throw new RouseError("SHUTTING_DOWN", "the store is closed")
    const work = begin()
    this.#underWay.add(work)
    try {
      return await work
    } finally {
      this.#underWay.delete(work)
    }
  }
}
