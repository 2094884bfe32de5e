import type { DatabaseSync, StatementSync } from "node:sqlite"
import type { Segment } from "../core/lineage.ts"
import type { StreamState } from "../core/stream-state.ts"
import type { LiveRow } from "../entity.ts"
import type { Keep } from "../retention.ts"
import type { StreamPathPage } from "../stream.ts"
import { Pins } from "./pins.ts"
import { byCollection, rowsSql, rowsValues } from "./row-place.ts"

/** Sorts after every path. */
const PATH_LAST = "\u{10ffff}"

/** Reads of what is kept of streams' past. */
export class RetentionReads {
  readonly #prepare: (sql: string) => StatementSync
  readonly #pins: Pins

  /** @param prepare Gives the same statement for the same text. */
  constructor(db: DatabaseSync, prepare: (sql: string) => StatementSync) {
    this.#prepare = prepare
    this.#pins = new Pins(db)
  }

  /** Whole batches that end at `end`, in order; where a fork leaves its source, what the fork has of one. */
  chunksBefore(
    state: StreamState,
    segments: readonly Segment[],
    end: number,
    bytesMax: number,
  ): { readonly chunks: Uint8Array[]; readonly start: number } {
    const chunks: Uint8Array[] = []
    let start = end
    const sql = "SELECT tail, data FROM chunk WHERE stream = ? AND tail >= ? ORDER BY tail LIMIT 1"
    while (start > state.horizon) {
      const { stream } = segments.findLast((segment) => segment.start < start) ?? { stream: state.id }
      const row = this.#prepare(sql).get(stream, start) as { tail: number; data: Uint8Array } | undefined
      if (row === undefined) break
      const data = row.data.subarray(0, row.data.length - (row.tail - start))
      if (chunks.length > 0 && end - start + data.length > bytesMax) break
      chunks.push(data)
      start -= data.length
      if (end - start >= bytesMax) break
    }
    return { chunks: chunks.reverse(), start }
  }

  rows(url: string, collection: string | undefined): LiveRow[] {
    const rows = this.#prepare(rowsSql(collection)).all(...rowsValues(url, collection))
    return byCollection(
      rows.map((row) => ({ collection: row["collection"], key: row["key"], json: row["value"] }) as LiveRow),
    )
  }

  /** What a fork's source amounted to before the fork point, the fork amounts to as well. */
  snapshot(
    segments: readonly Segment[],
    atMost: number,
  ): { readonly at: number; readonly data: Uint8Array } | undefined {
    const sql = "SELECT position, data FROM snapshot WHERE stream = ? AND position <= ? ORDER BY position DESC LIMIT 1"
    for (const { stream, end } of segments.toReversed()) {
      const row = this.#prepare(sql).get(stream, Math.min(end, atMost))
      if (row !== undefined) return { at: row["position"] as number, data: row["data"] as Uint8Array }
    }
    return undefined
  }

  paths({ prefix, after, limit }: StreamPathPage): string[] {
    const sql =
      "SELECT path FROM stream WHERE path >= ? AND path < ? AND path > ? AND deleted = 0 ORDER BY path LIMIT ?"
    const rows = this.#prepare(sql).all(prefix, prefix + PATH_LAST, after ?? "", limit)
    return rows.map((row) => row["path"] as string)
  }

  /** The end of the last batch that is neither kept by the policy, nor pinned, nor the stream's last. */
  trimmable(state: StreamState, { nowMs, ageMs, bytes = 0 }: Keep): number | undefined {
    const limit = Math.min(state.tail - Math.max(1, bytes), this.#pins.pinned(state.id) ?? Infinity)
    if (limit <= state.horizon) return undefined
    if (ageMs === undefined) return this.#endUpTo(state, limit)
    const era = this.#prepare("SELECT chunk FROM era WHERE at <= ? ORDER BY at DESC LIMIT 1").get(nowMs - ageMs)
    return era === undefined ? undefined : this.#endOfAge(state, limit, era["chunk"] as number)
  }

  #endUpTo(state: StreamState, limit: number): number | undefined {
    const sql = "SELECT max(tail) AS tail FROM chunk WHERE stream = ? AND tail <= ? AND tail > ?"
    return (this.#prepare(sql).get(state.id, limit, state.horizon)?.["tail"] as number | null) ?? undefined
  }

  /** Identities grow with positions, so the last batch up to an identity is found by halving. */
  #endOfAge(state: StreamState, limit: number, chunkLast: number): number | undefined {
    const sql = "SELECT tail, id FROM chunk WHERE stream = ? AND tail > ? AND tail <= ? ORDER BY tail LIMIT 1"
    const after = this.#prepare(sql)
    let found: number | undefined
    let low = state.horizon
    let high = limit
    while (low < high) {
      // The first step looks at the oldest batch: most often it is young, or the only one.
      const middle = found === undefined ? low : Math.floor((low + high) / 2)
      const row = after.get(state.id, middle, limit) as { tail: number; id: number } | undefined
      if (row !== undefined && row.id <= chunkLast) {
        found = row.tail
        low = row.tail
      } else if (found === undefined) return undefined
      else high = middle
    }
    return found
  }
}
