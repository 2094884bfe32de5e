import type { DatabaseSync, StatementSync } from "node:sqlite"

/**
 * Where it is written what still needs a stream's past: each query gives first needed positions of the stream `?1`. Whatever else reads a
 * stream by reference, or comes back to an offset of it, adds its query here.
 */
const SOURCES: readonly string[] = [
  "SELECT min(position) AS position FROM pin WHERE stream = ?1",
  // A fork reads all that its source had up to the fork point, but for what was trimmed before it was made.
  "SELECT min(horizon) FROM stream WHERE forked_from = ?1 AND horizon < fork_at",
  // A subscription's cursor: what is after it is still to be read.
  "SELECT min(acked) FROM subscribed WHERE path = (SELECT path FROM stream WHERE id = ?1)",
  // The same of an observation that is yet to be told.
  "SELECT min(cursor) FROM observation WHERE pending = 1 AND path = (SELECT path FROM stream WHERE id = ?1)",
]

/** Answers how much of a stream may not be trimmed. */
export class Pins {
  readonly #first: StatementSync

  constructor(db: DatabaseSync) {
    this.#first = db.prepare(`SELECT min(position) AS position FROM (${SOURCES.join(" UNION ALL ")})`)
  }

  /** The first position of the stream that something still needs; undefined when nothing does. */
  pinned(stream: number): number | undefined {
    return (this.#first.get(stream)?.["position"] as number | null) ?? undefined
  }
}
