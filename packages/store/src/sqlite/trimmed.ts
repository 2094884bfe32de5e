import type { DatabaseSync, StatementSync } from "node:sqlite"

/** Drops the batches below the horizons of streams that were trimmed. */
export class Trimmed {
  readonly #streams: StatementSync
  readonly #chunks: StatementSync
  readonly #done: StatementSync

  constructor(db: DatabaseSync) {
    this.#streams = db.prepare("SELECT stream, until FROM trimmed LIMIT ?")
    this.#chunks = db.prepare(
      "DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE stream = ? AND tail <= ? LIMIT ?)",
    )
    this.#done = db.prepare("DELETE FROM trimmed WHERE stream = ?")
  }

  /** Runs in the caller's transaction. Returns how many batches it dropped, `rowsMax` at most. */
  drop(rowsMax: number): number {
    let dropped = 0
    for (const { stream, until } of this.#streams.all(rowsMax) as { stream: number; until: number }[]) {
      dropped += Number(this.#chunks.run(stream, until, rowsMax - dropped).changes)
      if (dropped >= rowsMax) break
      this.#done.run(stream)
    }
    return dropped
  }
}
