import type { DatabaseSync, StatementSync } from "node:sqlite"

/** Rows that one sweep drops of each kind: what a commit may have to wait for. */
export const SWEEP_ROWS_MAX = 500

export interface Swept {
  readonly count: number
  /** Paths of the streams that had expired. */
  readonly streams: readonly string[]
}

/** Drops what has expired and what deleted streams left behind, a bounded batch at a time. */
export class Sweeper {
  readonly #receipts: StatementSync
  readonly #expired: StatementSync
  readonly #forget: StatementSync
  readonly #discard: StatementSync
  readonly #garbage: StatementSync
  readonly #chunks: StatementSync
  readonly #producers: StatementSync
  readonly #emptied: StatementSync

  constructor(db: DatabaseSync) {
    this.#receipts = db.prepare(
      "DELETE FROM receipt WHERE key IN (SELECT key FROM receipt WHERE expires_at <= ? LIMIT ?)",
    )
    this.#expired = db.prepare(
      "SELECT id, path FROM stream WHERE dies_at IS NOT NULL AND dies_at <= ? ORDER BY dies_at LIMIT ?",
    )
    this.#forget = db.prepare("DELETE FROM stream WHERE id = ?")
    this.#discard = db.prepare("INSERT OR IGNORE INTO garbage (stream) VALUES (?)")
    this.#garbage = db.prepare("SELECT stream FROM garbage LIMIT ?")
    this.#chunks = db.prepare("DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE stream = ? LIMIT ?)")
    this.#producers = db.prepare("DELETE FROM producer WHERE stream = ?")
    this.#emptied = db.prepare("DELETE FROM garbage WHERE stream = ?")
  }

  /** Runs in the caller's transaction. A count of 0: there is nothing left to drop. */
  sweep(nowMs: number): Swept {
    const receipts = Number(this.#receipts.run(nowMs, SWEEP_ROWS_MAX).changes)
    const streams = this.#expired.all(nowMs, SWEEP_ROWS_MAX) as { id: number; path: string }[]
    for (const stream of streams) {
      this.#forget.run(stream.id)
      this.#discard.run(stream.id)
    }
    return { count: receipts + streams.length + this.#dropGarbage(), streams: streams.map((stream) => stream.path) }
  }

  #dropGarbage(): number {
    let dropped = 0
    for (const { stream } of this.#garbage.all(SWEEP_ROWS_MAX) as { stream: number }[]) {
      const chunks = Number(this.#chunks.run(stream, SWEEP_ROWS_MAX - dropped).changes)
      dropped += chunks
      if (dropped >= SWEEP_ROWS_MAX) break
      this.#producers.run(stream)
      this.#emptied.run(stream)
    }
    return dropped
  }
}
