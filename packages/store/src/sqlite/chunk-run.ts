import type { StatementSync } from "node:sqlite"
import { concatBytes } from "../core/bytes.ts"

/** Where the last batch ends that ends within the bound. Looks at the index alone. */
const END_SQL = "SELECT max(tail) AS tail FROM chunk WHERE stream = ? AND tail > ? AND tail <= ?"
const FIRST_SQL = "SELECT min(tail) AS tail FROM chunk WHERE stream = ? AND tail > ?"
/**
 * The bytes are taken as they are: `group_concat` reads blobs as text, and text is only ever copied. They come in the order of the index
 * that is named; to ask for that order costs half as much again, for a copy of each.
 */
const RUN_SQL = `SELECT CAST(group_concat(data, '') AS BLOB) AS data
  FROM chunk INDEXED BY chunk_tail WHERE stream = ? AND tail > ? AND tail <= ?`
const TAILS_SQL = "SELECT tail FROM chunk WHERE stream = ? AND tail > ? AND tail <= ? ORDER BY tail"

/** Batches of one stream that follow one another. */
export interface ChunkRun {
  readonly stream: number
  readonly from: number
  /** Their bytes, one after the other. */
  readonly data: Uint8Array
  readonly end: number
}

/** What is wanted of one stream. */
export interface RunQuery {
  readonly stream: number
  readonly from: number
  /** Where the stream ends for this read: a batch across it is cut there. */
  readonly upTo: number
  /** No batch that ends beyond it, but for the first when there must be one. */
  readonly limit: number
  readonly atLeastOne: boolean
}

/**
 * As many whole batches as the bounds allow, as one piece: made by the database, because a row and an array for each of thousands of small
 * batches cost five times as much.
 *
 * @returns `"full"` when the next batch is beyond the limit; undefined when it is not there.
 */
export function readRun(prepare: (sql: string) => StatementSync, query: RunQuery): ChunkRun | "full" | undefined {
  const { stream, from, upTo, limit, atLeastOne } = query
  const last = tailOf(prepare(END_SQL).get(stream, from, Math.min(upTo, limit)))
  const end = last ?? tailOf(prepare(FIRST_SQL).get(stream, from))
  if (end === null) return undefined
  if (!atLeastOne && Math.min(end, upTo) > limit) return "full"
  const row = prepare(RUN_SQL).get(stream, from, end) as { data: Uint8Array | null } | undefined
  if (row?.data?.length !== end - from) return undefined
  if (end <= upTo) return { stream, from, data: row.data, end }
  return { stream, from, data: row.data.subarray(0, upTo - from), end: upTo }
}

/** Several runs as one piece. */
export function joinRuns(runs: readonly ChunkRun[]): Uint8Array {
  const [only] = runs
  if (only !== undefined && runs.length === 1) return only.data
  return concatBytes(runs.map((run) => run.data))
}

/**
 * The batches of runs, each by itself: views of their bytes. Where they end is looked up now, because most readers never ask. What has been
 * dropped since they were read comes as one piece.
 */
export function splitRuns(prepare: (sql: string) => StatementSync, runs: readonly ChunkRun[]): Uint8Array[] {
  return runs.flatMap(({ stream, from, data, end }) => {
    const rows = prepare(TAILS_SQL).all(stream, from, end) as { tail: number }[]
    const ends = rows.map(({ tail }) => tail)
    if (ends.at(-1) !== end) ends.push(end)
    let at = 0
    return ends.map((tail) => data.subarray(at, (at = tail - from)))
  })
}

/** Where the whole batches within the bounds end, without reading them; `from` when there is none. Looks at the index alone. */
export function endOfRun(prepare: (sql: string) => StatementSync, query: Omit<RunQuery, "atLeastOne">): number {
  const { stream, from, upTo, limit } = query
  const last = tailOf(prepare(END_SQL).get(stream, from, Math.min(upTo, limit))) ?? from
  if (last === upTo || upTo > limit) return last
  return tailOf(prepare(FIRST_SQL).get(stream, last)) === null ? last : upTo
}

function tailOf(row: Record<string, unknown> | undefined): number | null {
  return (row?.["tail"] as number | null | undefined) ?? null
}
