import { START } from "@rouse/protocol"
import { numberOf } from "../core/home.ts"
import { encodeOffset, incarnationOf } from "../core/offset.ts"
import type { EntityRecord } from "../entity.ts"
import type { StreamListener } from "../stream.ts"
import { Listeners } from "../sqlite/listeners.ts"
import { decodeChanges } from "./changes.ts"
import type { Changes } from "./changes.ts"
import type { Connection } from "./connection.ts"
import { recordOf } from "./entity-reader.ts"
import type { SqlRow } from "./states.ts"

type StreamEvent = Parameters<StreamListener>[0]

/** How often everything that is watched is looked at, milliseconds: where notifications come, and where they do not. */
const LOOK_MS = 5_000
const LOOK_UNHEARD_MS = 250
/** Paths or addresses in one question. */
const ASKED_MAX = 1_000
/** Entities of the last seconds that are looked at when nobody tells of them. */
const RECENT_MAX = 1_000

const STREAMS = `SELECT s.path, s.id, s.closed, s.deleted, coalesce(
    (SELECT tail FROM ~chunk c WHERE c.tree = s.tree AND c.stream = s.id ORDER BY tail DESC LIMIT 1), fork_at, 0) AS tail
  FROM json_array_elements_text($1::text::json) AS q(path) JOIN ~stream s ON s.path = q.path`
const ENTITIES = `SELECT e.* FROM json_array_elements_text($1::text::json) AS q(url) JOIN ~entity e ON e.url = q.url`
const RECENT = `SELECT * FROM ~entity WHERE active_second >= $1 ORDER BY active_second DESC, url LIMIT $2`

export interface WatcherParts {
  readonly connection: Connection
  readonly nonce: string
  readonly replica: string
  readonly clock: () => number
  readonly isHeard: () => boolean
  /** Another replica told something. Called before anybody else is told of it. */
  readonly onHeard: (changes: Changes) => void
}

/** What is heard beside changes of streams and entities that are watched. */
export interface NewsListener {
  onEntities(urls: readonly string[]): void
  onDue(atMs: number): void
  /** A session began or ended. */
  onReplicas(): void
}

/**
 * Who wants to know of what became durable, here or in another replica.
 *
 *     own commit ─────────────────────▶ told at once
 *     notification ──▶ look at what it names ──▶ told, when it is not known yet
 *     a while passed ──▶ look at all that is watched ──▶ told, when it is not known yet
 *
 * 1. A stream's events go forward: an older state is never told after a newer one.
 * 2. What was missed while nobody told is found by looking.
 */
export class Watcher extends Listeners {
  readonly #parts: WatcherParts
  /** How many watch a path, and what they were last told. */
  readonly #watched = new Map<string, { count: number; told: StreamEvent | undefined }>()
  readonly #paths = new Map<number, Set<string>>()
  readonly #versions = new Map<string, number>()
  #news: NewsListener | undefined
  #sinceSecond: number
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()
  #closed = false

  constructor(parts: WatcherParts) {
    super()
    this.#parts = parts
    this.#sinceSecond = Math.floor(parts.clock() / 1_000)
  }

  override watchStream(path: string, listener: StreamListener): () => void {
    const stop = super.watchStream(path, listener)
    const watched = this.#watched.get(path) ?? { count: 0, told: undefined }
    watched.count += 1
    this.#watched.set(path, watched)
    this.#paths.set(numberOf(path), (this.#paths.get(numberOf(path)) ?? new Set()).add(path))
    this.#arm()
    let stopped = false
    return () => {
      stop()
      if (stopped) return
      stopped = true
      watched.count -= 1
      if (watched.count === 0) this.#forget(path)
    }
  }

  override watchEntities(listener: (record: EntityRecord) => void): () => void {
    const stop = super.watchEntities(listener)
    this.#arm()
    return stop
  }

  override tellStream(path: string, event: StreamEvent): void {
    const watched = this.#watched.get(path)
    if (watched === undefined || !isNews(event, watched.told)) return
    watched.told = event
    super.tellStream(path, event)
  }

  override tellEntity(record: EntityRecord): void {
    if (this.#versions.size > RECENT_MAX * 2) this.#versions.clear()
    this.#versions.set(record.url, record.version)
    super.tellEntity(record)
  }

  /** One listener, or none. */
  watchNews(listener: NewsListener | undefined): void {
    this.#news = listener
  }

  /** What another replica told. */
  hear(payload: string): void {
    const changes = decodeChanges(payload)
    if (changes === undefined || changes.replica === this.#parts.replica) return
    this.#parts.onHeard(changes)
    if (changes.subscriptionDueAtMs !== null) this.tellSubscriptions(changes.subscriptionDueAtMs)
    if (changes.observationDueAtMs !== null) this.tellObservations(changes.observationDueAtMs)
    if (changes.entities.length > 0) this.#news?.onEntities(changes.entities)
    if (typeof changes.dueAtMs === "number") this.#news?.onDue(changes.dueAtMs)
    if (changes.replicas === true) this.#news?.onReplicas()
    const paths = changes.streams.flatMap((number) => [...(this.#paths.get(number) ?? [])])
    if (paths.length > 0) this.#then(() => this.#lookAtStreams(paths))
    if (this.hasEntityListeners && changes.entities.length > 0) this.#then(() => this.#lookAtEntities(changes.entities))
  }

  /** Something may have been missed. */
  look(): void {
    this.#then(async () => {
      await this.#lookAtStreams([...this.#watched.keys()])
      if (this.hasEntityListeners) await this.#lookAtRecent()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#looking
  }

  #forget(path: string): void {
    this.#watched.delete(path)
    const paths = this.#paths.get(numberOf(path))
    paths?.delete(path)
    if (paths?.size === 0) this.#paths.delete(numberOf(path))
  }

  /** A timer while something is watched, and none else. */
  #arm(): void {
    if (this.#timer !== undefined || this.#closed) return
    if (this.#watched.size === 0 && !this.hasEntityListeners) return
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.look()
        void this.#looking.then(() => this.#arm())
      },
      this.#parts.isHeard() ? LOOK_MS : LOOK_UNHEARD_MS,
    )
    this.#timer.unref()
  }

  /** One question at a time. A database that does not answer is asked again later. */
  #then(look: () => Promise<void>): void {
    this.#looking = this.#looking.then(() => (this.#closed ? undefined : look())).catch(() => undefined)
  }

  async #lookAtStreams(paths: readonly string[]): Promise<void> {
    for (let at = 0; at < paths.length; at += ASKED_MAX) {
      const asked = paths.slice(at, at + ASKED_MAX)
      const rows = await this.#parts.connection.read(STREAMS, [JSON.stringify(asked)])
      const found = new Map(rows.map((row) => [row["path"] as string, row]))
      for (const path of asked) this.#compare(path, found.get(path))
    }
  }

  #compare(path: string, row: SqlRow | undefined): void {
    const told = this.#watched.get(path)?.told
    if (row === undefined || row["deleted"] === true) {
      if (told !== undefined) this.tellStream(path, { next: START, closed: false, deleted: true })
      return
    }
    const next = encodeOffset(incarnationOf(Number(row["id"]), this.#parts.nonce), Number(row["tail"]))
    this.tellStream(path, { next, closed: row["closed"] === true, deleted: false })
  }

  async #lookAtEntities(urls: readonly string[]): Promise<void> {
    for (const row of await this.#parts.connection.read(ENTITIES, [JSON.stringify(urls)])) this.#compareEntity(row)
  }

  async #lookAtRecent(): Promise<void> {
    const since = this.#sinceSecond
    this.#sinceSecond = Math.floor(this.#parts.clock() / 1_000) - 1
    const rows = await this.#parts.connection.read(RECENT, [since, RECENT_MAX])
    for (const row of rows) this.#compareEntity(row)
  }

  #compareEntity(row: SqlRow): void {
    const record = recordOf(row)
    if ((this.#versions.get(record.url) ?? 0) < record.version) this.tellEntity(record)
  }
}

/** Offsets of one stream sort as text; another stream at the path is news. */
function isNews(event: StreamEvent, told: StreamEvent | undefined): boolean {
  if (told === undefined) return true
  if (event.deleted || told.deleted) return event.deleted !== told.deleted
  const sameStream = told.next.split("_")[0] === event.next.split("_")[0]
  return !sameStream || event.next > told.next || (event.closed && !told.closed)
}
