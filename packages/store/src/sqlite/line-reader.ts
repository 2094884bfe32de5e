import type { StatementSync } from "node:sqlite"
import type { Offset } from "@rouse/protocol"
import { segmentsOf } from "../core/lineage.ts"
import type { Segment } from "../core/lineage.ts"
import { incarnationOf, parseOffset } from "../core/offset.ts"
import { unknownStream } from "../core/stream-state.ts"
import type { StreamState } from "../core/stream-state.ts"
import { endOfRun, readRun } from "./chunk-run.ts"
import type { ChunkRun } from "./chunk-run.ts"

const LINE_SQL = `WITH RECURSIVE line (id, source, at, depth) AS (
    SELECT id, forked_from, fork_at, 0 FROM stream WHERE id = ? UNION ALL
    SELECT stream.id, forked_from, fork_at, depth + 1 FROM line JOIN stream ON stream.id = line.source)
  SELECT id, source, coalesce(at, 0) AS at FROM line ORDER BY depth`

/** Reads a stream's bytes from where they lie: its own, and those of the streams above it. */
export class LineReader {
  readonly #prepare: (sql: string) => StatementSync
  readonly #nonce: string

  constructor(prepare: (sql: string) => StatementSync, nonce: string) {
    this.#prepare = prepare
    this.#nonce = nonce
  }

  /** The segments that a read from an offset needs: those above a fork only when it begins there. */
  segments(state: StreamState, from: Offset): readonly Segment[] {
    const { id: stream, incarnation, fork, tail: end } = state
    const own = { stream, incarnation, start: fork?.at ?? 0, end }
    if (fork === null) return [own]
    const position = parseOffset(incarnation, from)
    return position !== undefined && position >= own.start ? [own] : this.#line(state)
  }

  /** @throws {RouseError} `UNKNOWN_STREAM` when the stream, and so one above it, was deleted and swept since its state was read. */
  #line(state: StreamState): readonly Segment[] {
    const rows = this.#prepare(LINE_SQL).all(state.id) as unknown as { id: number; source: number | null; at: number }[]
    if (rows.at(-1)?.source !== null) throw unknownStream(state.path)
    const line = rows.map(({ id, at }) => ({ id, at, incarnation: incarnationOf(id, this.#nonce) }))
    return segmentsOf(line, state.tail)
  }

  /**
   * Whole batches from a position on, the last of a segment cut at its end; undefined when they are no longer there.
   */
  read(
    state: StreamState,
    segments: readonly Segment[],
    from: number,
    bytesMax: number,
  ): { readonly runs: readonly ChunkRun[]; readonly end: number } | undefined {
    const runs: ChunkRun[] = []
    const limit = from + bytesMax
    let end = from
    for (const { stream, end: upTo } of segments) {
      while (end < upTo && (runs.length === 0 || end < limit)) {
        const run = readRun(this.#prepare, { stream, from: end, upTo, limit, atLeastOne: runs.length === 0 })
        if (run === undefined || run === "full") break
        runs.push(run)
        end = run.end
      }
      if (end < upTo) break
    }
    if (end === from && from < state.tail) return undefined
    return { runs, end }
  }

  /** Where whole batches from a position on, up to a limit, end: `from` when none does. The last of a segment is cut at its end. */
  endUpTo(segments: readonly Segment[], from: number, limit: number): number {
    let end = from
    for (const { stream, end: upTo } of segments) {
      if (end < upTo) end = endOfRun(this.#prepare, { stream, from: end, upTo, limit })
      if (end < upTo) break
    }
    return end
  }
}
