import type { DatabaseSync, StatementSync } from "node:sqlite"
import type { EntityStatus } from "@rouse/protocol"
import { incarnationOf } from "../core/offset.ts"
import type { ProducerState } from "../core/producer.ts"
import type { ForkPoint, ProducerClaim, StreamState } from "../core/stream-state.ts"
import type { EntityState, StoreView } from "../core/view.ts"
import { readNonce } from "./migrate.ts"
import { Pins } from "./pins.ts"
import { SqliteSpaces } from "./space-view.ts"

type SqlRow = Record<string, unknown>

export const STREAM_SQL = `SELECT id, path, content_type, closed, closed_by, stream_seq, created_at, ttl_seconds, expires_at, dies_at, horizon,
  forked_from, fork_base, fork_sub, fork_at, forks, deleted,
  (SELECT path FROM stream AS source WHERE source.id = stream.forked_from) AS source,
  coalesce((SELECT max(tail) FROM chunk WHERE stream = stream.id), fork_at, 0) AS tail FROM stream WHERE path = ?`

/** Whether a batch of a stream ends at a position. */
export const BATCH_END_SQL = "SELECT 1 FROM chunk WHERE stream = ? AND tail = ?"

/** Up to where the forks of a stream read its bytes. What retention drops must leave those. */
export const FORK_NEED_SQL = "SELECT max(fork_at) AS at FROM stream WHERE forked_from = ?"

/** Looks up what decisions need, in the writer's own transaction. Hands out identities that were never used. */
export class SqliteView implements Omit<StoreView, "subscriptions" | "observations"> {
  readonly #nonce: string
  readonly #stream: StatementSync
  readonly #producer: StatementSync
  readonly #batchEnd: StatementSync
  readonly #batchAfter: StatementSync
  readonly #entity: StatementSync
  readonly #timer: StatementSync
  readonly #receipt: StatementSync
  readonly #work: StatementSync
  readonly #pins: Pins
  readonly spaces: SqliteSpaces
  #streamIdLast: number
  #entityIdLast: number

  constructor(db: DatabaseSync) {
    this.#nonce = readNonce(db)
    this.#stream = db.prepare(STREAM_SQL)
    this.#producer = db.prepare("SELECT epoch, seq FROM producer WHERE stream = ? AND id = ?")
    this.#batchEnd = db.prepare(BATCH_END_SQL)
    this.#batchAfter = db.prepare("SELECT data FROM chunk WHERE stream = ? AND tail > ? ORDER BY tail LIMIT 1")
    this.#entity = db.prepare(
      `SELECT id, url, type, name, status, version, epoch, seq, parent, created_at, active_at, due_at, tags, args FROM entity WHERE url = ?`,
    )
    this.#timer = db.prepare("SELECT 1 FROM timer WHERE id = ?")
    this.#receipt = db.prepare("SELECT 1 FROM receipt WHERE key = ?")
    this.#work = db.prepare("SELECT version FROM work WHERE id = ?")
    this.#pins = new Pins(db)
    this.spaces = new SqliteSpaces(db)
    this.#streamIdLast = Number(db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'stream'").get()?.["seq"] ?? 0)
    this.#entityIdLast = Number(db.prepare("SELECT max(id) AS id FROM entity").get()?.["id"] ?? 0)
  }

  stream(path: string): StreamState | undefined {
    const row = this.#stream.get(path)
    return row === undefined ? undefined : streamOf(row, this.#nonce)
  }

  producer(stream: number, id: string): ProducerState | undefined {
    const row = this.#producer.get(stream, id)
    return row === undefined ? undefined : { epoch: Number(row["epoch"]), seq: Number(row["seq"]) }
  }

  hasBatchEnd(stream: number, position: number): boolean {
    return this.#batchEnd.get(stream, position) !== undefined
  }

  batchAfter(stream: number, position: number): Uint8Array | undefined {
    return this.#batchAfter.get(stream, position)?.["data"] as Uint8Array | undefined
  }

  entity(url: string): EntityState | undefined {
    const row = this.#entity.get(url)
    return row === undefined ? undefined : entityOf(row)
  }

  hasTimer(id: string): boolean {
    return this.#timer.get(id) !== undefined
  }

  hasReceipt(key: string): boolean {
    return this.#receipt.get(key) !== undefined
  }

  workVersion(id: string): number {
    return Number(this.#work.get(id)?.["version"] ?? 0)
  }

  pinned(stream: number): number | undefined {
    return this.#pins.pinned(stream)
  }

  newStream(): { readonly id: number; readonly incarnation: string } {
    this.#streamIdLast += 1
    return { id: this.#streamIdLast, incarnation: incarnationOf(this.#streamIdLast, this.#nonce) }
  }

  newEntityId(): number {
    this.#entityIdLast += 1
    return this.#entityIdLast
  }
}

export function streamOf(row: SqlRow, nonce: string): StreamState {
  const closedBy = row["closed_by"] as string | null
  return {
    id: row["id"] as number,
    path: row["path"] as string,
    incarnation: incarnationOf(row["id"] as number, nonce),
    contentType: row["content_type"] as string,
    tail: row["tail"] as number,
    closed: row["closed"] === 1,
    closedBy: closedBy === null ? null : (JSON.parse(closedBy) as ProducerClaim),
    streamSeq: row["stream_seq"] as string | null,
    createdAtMs: row["created_at"] as number,
    ttlSeconds: row["ttl_seconds"] as number | null,
    expiresAtMs: row["expires_at"] as number | null,
    diesAtMs: row["dies_at"] as number | null,
    horizon: row["horizon"] as number,
    fork: forkOf(row),
    forks: row["forks"] as number,
    deleted: row["deleted"] === 1,
  }
}

function forkOf(row: SqlRow): ForkPoint | null {
  if (row["forked_from"] === null) return null
  return {
    source: row["source"] as string,
    sourceId: row["forked_from"] as number,
    base: row["fork_base"] as number,
    sub: row["fork_sub"] as number,
    at: row["fork_at"] as number,
  }
}

function entityOf(row: SqlRow): EntityState {
  const url = row["url"] as string
  const epoch = row["epoch"] as number
  return {
    id: row["id"] as number,
    url,
    version: row["version"] as number,
    epoch,
    seq: row["seq"] as number,
    record: {
      url,
      type: row["type"] as string,
      id: row["name"] as string,
      status: row["status"] as EntityStatus,
      epoch,
      parent: row["parent"] as string | null,
      createdAtMs: row["created_at"] as number,
      activeAtMs: row["active_at"] as number,
      dueAtMs: row["due_at"] as number | null,
      tags: row["tags"] as string,
      args: row["args"] as string,
    },
  }
}
