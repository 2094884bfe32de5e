import type { DatabaseSync, StatementSync } from "node:sqlite"
import type { Write } from "../core/write.ts"
import type { StreamState } from "../core/stream-state.ts"
import { EntityWrites } from "./entity-writes.ts"
import { RowWrites } from "./row-writes.ts"
import { RetentionWrites } from "./retention-writes.ts"
import { ObservationWrites } from "./observation-writes.ts"
import { SpaceWrites } from "./space-writes.ts"
import { SubscriptionWrites } from "./subscription-writes.ts"
import { WorkWrites } from "./work-writes.ts"

/** Carries out a plan's writes, one prepared statement each. */
export class Writes {
  readonly #entities: EntityWrites
  readonly #retention: RetentionWrites
  readonly #subscriptions: SubscriptionWrites
  readonly #work: WorkWrites
  readonly #observations: ObservationWrites
  readonly #spaces: SpaceWrites
  readonly #insertStream: StatementSync
  readonly #updateStream: StatementSync
  readonly #dropStream: readonly StatementSync[]
  readonly #putChunk: StatementSync
  readonly #putProducer: StatementSync
  readonly #rows: RowWrites
  readonly #putTimer: StatementSync
  readonly #dropTimer: StatementSync
  readonly #putReceipt: StatementSync

  constructor(db: DatabaseSync) {
    this.#entities = new EntityWrites(db)
    this.#retention = new RetentionWrites(db)
    this.#subscriptions = new SubscriptionWrites(db)
    this.#work = new WorkWrites(db)
    this.#observations = new ObservationWrites(db)
    this.#spaces = new SpaceWrites(db)
    this.#insertStream = db.prepare(
      `INSERT INTO stream (id, path, content_type, closed, created_at, ttl_seconds, expires_at, dies_at, forked_from, fork_base, fork_sub, fork_at, horizon, forks, deleted)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)`,
    )
    this.#updateStream = db.prepare(
      "UPDATE stream SET closed = ?, closed_by = ?, stream_seq = ?, dies_at = ?, forks = ?, deleted = ? WHERE id = ?",
    )
    this.#dropStream = [
      db.prepare("DELETE FROM stream WHERE id = ?"),
      db.prepare("INSERT OR IGNORE INTO garbage (stream) VALUES (?)"),
    ]
    this.#putChunk = db.prepare("INSERT INTO chunk (stream, tail, data) VALUES (?, ?, ?)")
    this.#putProducer = db.prepare("INSERT OR REPLACE INTO producer (stream, id, epoch, seq) VALUES (?, ?, ?, ?)")
    this.#rows = new RowWrites(db)
    this.#putTimer = db.prepare("INSERT OR REPLACE INTO timer (id, due_at, url, payload) VALUES (?, ?, ?, ?)")
    this.#dropTimer = db.prepare("DELETE FROM timer WHERE id = ?")
    this.#putReceipt = db.prepare(
      "INSERT OR REPLACE INTO receipt (key, fingerprint, response, expires_at) VALUES (?, ?, ?, ?)",
    )
  }

  do(write: Write): void {
    switch (write.kind) {
      case "putChunk":
        this.#putChunk.run(write.stream, write.tail, write.data)
        return
      case "putRow":
        this.#rows.put(write.entity, write.row)
        return
      case "dropRow":
        this.#rows.drop(write.entity, write.collection, write.key)
        return
      case "putEntity":
        this.#entities.put(write.old, write.next, write.control)
        return
      case "putLeaseSeq":
        this.#entities.putSeq(write.entity, write.seq)
        return
      case "dropEntity":
        this.#entities.drop(write.url, write.state)
        return
      case "putTimer":
        this.#putTimer.run(write.timer.id, write.timer.dueAtMs, write.timer.url, write.timer.payload)
        return
      case "dropTimer":
        this.#dropTimer.run(write.id)
        return
      case "putReceipt":
        this.#putReceipt.run(
          write.receipt.key,
          write.receipt.fingerprint,
          write.receipt.response,
          write.receipt.expiresAtMs,
        )
        return
      case "putWork":
      case "dropWork":
        this.#work.do(write)
        return
      case "putSnapshot":
      case "trimStream":
      case "putPin":
      case "dropPin":
        this.#retention.do(write)
        return
      case "subscription":
        this.#subscriptions.do(write.write)
        return
      case "observation":
        this.#observations.do(write.write)
        return
      case "space":
        this.#spaces.do(write.write)
        return
      case "insertStream":
      case "updateStream":
      case "dropStream":
      case "putProducer":
        this.#doStream(write)
    }
  }

  #doStream(
    write: Extract<Write, { readonly kind: "insertStream" | "updateStream" | "dropStream" | "putProducer" }>,
  ): void {
    switch (write.kind) {
      case "insertStream":
        this.#insert(write.state)
        return
      case "updateStream": {
        const { closed, closedBy, streamSeq, diesAtMs, forks, deleted, id } = write.state
        this.#updateStream.run(
          closed ? 1 : 0,
          closedBy === null ? null : JSON.stringify(closedBy),
          streamSeq,
          diesAtMs,
          forks,
          deleted ? 1 : 0,
          id,
        )
        return
      }
      case "dropStream":
        for (const statement of this.#dropStream) statement.run(write.id)
        return
      case "putProducer":
        this.#putProducer.run(write.stream, write.claim.id, write.claim.epoch, write.claim.seq)
    }
  }

  #insert(state: StreamState): void {
    const { id, path, contentType, closed, createdAtMs, ttlSeconds, expiresAtMs, diesAtMs, fork, horizon } = state
    this.#insertStream.run(
      id,
      path,
      contentType,
      closed ? 1 : 0,
      createdAtMs,
      ttlSeconds,
      expiresAtMs,
      diesAtMs,
      fork?.sourceId ?? null,
      fork?.base ?? null,
      fork?.sub ?? null,
      fork?.at ?? null,
      horizon,
    )
  }
}
