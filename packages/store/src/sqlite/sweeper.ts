import type { DatabaseSync, StatementSync } from "node:sqlite"
import { Eras } from "./eras.ts"
import { Trimmed } from "./trimmed.ts"

import { forgetObserved } from "./observation-writes.ts"
import { forgetSubscribed } from "./subscription-writes.ts"

/** Rows that one sweep drops of each kind: what a commit may have to wait for. */
export const SWEEP_ROWS_MAX = 500

export interface Swept {
  readonly count: number
  /** Paths of the streams that had expired. */
  readonly streams: readonly string[]
}

interface Expired {
  readonly id: number
  readonly path: string
  readonly forked_from: number | null
}

/** Drops what has expired and what deleted streams left behind, a bounded batch at a time. */
export class Sweeper {
  readonly #receipts: StatementSync
  readonly #expired: StatementSync
  readonly #hasForks: StatementSync
  readonly #keep: StatementSync
  readonly #forget: StatementSync
  readonly #release: StatementSync
  readonly #discard: StatementSync
  readonly #garbage: StatementSync
  readonly #chunks: StatementSync
  /** What a stream has beside its batches. */
  readonly #belongings: readonly StatementSync[]
  /** A space has as many rows as it likes. */
  readonly #spaceRows: readonly StatementSync[]
  readonly #emptied: StatementSync
  readonly #trimmed: Trimmed
  readonly #eras: Eras
  readonly #unsubscribe: (path: string) => void
  readonly #unobserve: (path: string) => void

  constructor(db: DatabaseSync) {
    this.#receipts = db.prepare(
      "DELETE FROM receipt WHERE key IN (SELECT key FROM receipt WHERE expires_at <= ? LIMIT ?)",
    )
    this.#expired = db.prepare(
      "SELECT id, path, forked_from FROM stream WHERE dies_at IS NOT NULL AND dies_at <= ? ORDER BY dies_at LIMIT ?",
    )
    this.#hasForks = db.prepare("SELECT 1 FROM stream WHERE id = ? AND forks > 0")
    this.#keep = db.prepare("UPDATE stream SET deleted = 1, dies_at = NULL WHERE id = ?")
    this.#release = db.prepare(
      "UPDATE stream SET forks = forks - 1, dies_at = CASE WHEN deleted = 1 AND forks = 1 THEN 0 ELSE dies_at END WHERE id = ?",
    )
    this.#forget = db.prepare("DELETE FROM stream WHERE id = ?")
    this.#discard = db.prepare("INSERT OR IGNORE INTO garbage (stream) VALUES (?)")
    this.#garbage = db.prepare("SELECT stream FROM garbage LIMIT ?")
    this.#chunks = db.prepare("DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE stream = ? LIMIT ?)")
    this.#belongings = [
      db.prepare("DELETE FROM producer WHERE stream = ?"),
      db.prepare("DELETE FROM snapshot WHERE stream = ?"),
      db.prepare("DELETE FROM trimmed WHERE stream = ?"),
      db.prepare("DELETE FROM pin WHERE stream = ?"),
      db.prepare("DELETE FROM space WHERE stream = ?"),
    ]
    this.#spaceRows = [
      db.prepare(
        "DELETE FROM space_row WHERE stream = ?1 AND (collection, key) IN (SELECT collection, key FROM space_row WHERE stream = ?1 LIMIT ?2)",
      ),
      db.prepare(
        `DELETE FROM space_index WHERE stream = ?1 AND (collection, queue, key) IN
          (SELECT collection, queue, key FROM space_index WHERE stream = ?1 LIMIT ?2)`,
      ),
      db.prepare(
        `DELETE FROM space_queue WHERE stream = ?1 AND (collection, queue, free_at, made) IN
          (SELECT collection, queue, free_at, made FROM space_queue WHERE stream = ?1 LIMIT ?2)`,
      ),
    ]
    this.#unsubscribe = forgetSubscribed(db)
    this.#unobserve = forgetObserved(db)
    this.#emptied = db.prepare("DELETE FROM garbage WHERE stream = ?")
    this.#trimmed = new Trimmed(db)
    this.#eras = new Eras(db)
  }

  /** Runs in the caller's transaction. A count of 0: there is nothing left to drop. */
  sweep(nowMs: number): Swept {
    const receipts = Number(this.#receipts.run(nowMs, SWEEP_ROWS_MAX).changes)
    const streams = this.#expired.all(nowMs, SWEEP_ROWS_MAX) as unknown as Expired[]
    for (const stream of streams) this.#end(stream)
    const chunks = this.#dropGarbage() + this.#trimmed.drop(SWEEP_ROWS_MAX)
    this.#eras.mark(nowMs, chunks > 0)
    return { count: receipts + streams.length + chunks, streams: streams.map((stream) => stream.path) }
  }

  /** A stream with forks is kept for them. One that was kept for this stream alone is next. */
  #end({ id, path, forked_from: source }: Expired): void {
    this.#unsubscribe(path)
    this.#unobserve(path)
    if (this.#hasForks.get(id) !== undefined) {
      this.#keep.run(id)
      return
    }
    this.#forget.run(id)
    this.#discard.run(id)
    if (source !== null) this.#release.run(source)
  }

  #dropGarbage(): number {
    let dropped = 0
    for (const { stream } of this.#garbage.all(SWEEP_ROWS_MAX) as { stream: number }[]) {
      const chunks = Number(this.#chunks.run(stream, SWEEP_ROWS_MAX - dropped).changes)
      dropped += chunks
      for (const rows of this.#spaceRows)
        dropped += Number(rows.run(stream, Math.max(SWEEP_ROWS_MAX - dropped, 0)).changes)
      if (dropped >= SWEEP_ROWS_MAX) break
      for (const statement of this.#belongings) statement.run(stream)
      this.#emptied.run(stream)
    }
    return dropped
  }
}
