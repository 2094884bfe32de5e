import type { DatabaseSync, StatementSync } from "node:sqlite"

/** How far marks of the time are apart, milliseconds. */
export const ERA_MS = 3_600_000
/** Marks that are kept: more than two years of them. */
const ERAS_MAX = 20_000

/**
 * Marks of the time on the log: which batch was the newest, about once an hour. A batch up to a mark is at least as old as it; so batches
 * need no time of their own, and an append writes none.
 *
 * 1. A mark names a batch that was there at its time or before.
 * 2. The identity of a dropped batch may be given again when it was the highest: whoever drops batches has the marks lowered.
 */
export class Eras {
  readonly #newest: StatementSync
  readonly #lower: StatementSync
  readonly #insert: StatementSync
  readonly #forget: StatementSync

  constructor(db: DatabaseSync) {
    this.#newest = db.prepare("SELECT max(at) AS at FROM era")
    this.#lower = db.prepare(
      "UPDATE era SET chunk = (SELECT coalesce(max(id), 0) FROM chunk) WHERE chunk > (SELECT coalesce(max(id), 0) FROM chunk)",
    )
    this.#insert = db.prepare("INSERT OR IGNORE INTO era (at, chunk) SELECT ?, coalesce(max(id), 0) FROM chunk")
    this.#forget = db.prepare("DELETE FROM era WHERE at <= (SELECT at FROM era ORDER BY at DESC LIMIT 1 OFFSET ?)")
  }

  /** To be called in a sweep's transaction, with whether it dropped batches. */
  mark(nowMs: number, dropped: boolean): void {
    if (dropped) this.#lower.run()
    const newest = this.#newest.get()?.["at"] as number | null
    if (newest !== null && nowMs - newest < ERA_MS) return
    this.#insert.run(nowMs)
    this.#forget.run(ERAS_MAX)
  }
}
