import { START } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import { concatBytes } from "../core/bytes.ts"
import { isBoundary, offsetAt, positionOf, segmentAt, segmentsOf } from "../core/lineage.ts"
import type { Segment } from "../core/lineage.ts"
import { encodeOffset, incarnationOf, parseOffset } from "../core/offset.ts"
import { badOffset, goneBelow } from "../core/retention.ts"
import { absence, standingOf, unknownStream } from "../core/stream-state.ts"
import type { StreamState } from "../core/stream-state.ts"
import type { LiveRows } from "../entity.ts"
import type { ReadResult, StreamInfo } from "../stream.ts"
import type { Connection } from "./connection.ts"
import type { FoundBatch, OffloadedReader } from "./offload/offloaded-reader.ts"
import { streamOf } from "./states.ts"
import type { SqlRow } from "./states.ts"

/** The tail of the stream `s`. */
export const TAIL = `coalesce((SELECT tail FROM ~chunk c WHERE c.tree = s.tree AND c.stream = s.id ORDER BY tail DESC LIMIT 1), fork_at, 0) AS tail`
const STREAM = `SELECT s.*, ${TAIL} FROM ~stream s WHERE s.path = $1`
const STREAMS = `SELECT s.*, ${TAIL} FROM json_array_elements_text($1::text::json) AS q(path) JOIN ~stream s ON s.path = q.path`
const LINE = `WITH RECURSIVE line AS (
    SELECT s.tree, s.id, s.source_tree, s.forked_from, s.fork_at, s.offloaded, 0 AS depth FROM ~stream s WHERE s.tree = $1 AND s.id = $2 UNION ALL
    SELECT s.tree, s.id, s.source_tree, s.forked_from, s.fork_at, s.offloaded, depth + 1 FROM line JOIN ~stream s ON s.tree = line.source_tree AND s.id = line.forked_from)
  SELECT tree, id, forked_from, coalesce(fork_at, 0) AS at, offloaded FROM line ORDER BY depth`
/** Whole batches up to the limit, at least one. */
const RUN = `SELECT tail, data FROM ~chunk WHERE tree = $1 AND stream = $2 AND tail > $3 AND tail <= greatest($4,
    (SELECT tail FROM ~chunk WHERE tree = $1 AND stream = $2 AND tail > $3 ORDER BY tail LIMIT 1)) ORDER BY tail`
const RUN_BACK = `SELECT tail, data FROM ~chunk WHERE tree = $1 AND stream = $2 AND tail > $3 AND tail <=
    (SELECT tail FROM ~chunk WHERE tree = $1 AND stream = $2 AND tail >= $4 ORDER BY tail LIMIT 1) ORDER BY tail DESC LIMIT $5`
const BACK_BATCHES_MAX = 64

/** A stream as it is found, with where it lies. */
export interface FoundStream {
  readonly state: StreamState
  readonly tree: number
  /** Its batches below this position are in the bucket. */
  readonly offloaded: number
}

/** A segment with the tree in which its batches lie, and the position below which they lie in the bucket. */
export interface PlacedSegment extends Segment {
  readonly tree: number
  readonly offloaded: number
}

/**
 * Reads streams' bytes from where they lie: their own, and those of the streams above them; from the database, and what is old from the bucket.
 *
 * What is not where it was a moment ago has gone to the bucket meanwhile, or is gone: the bucket is asked before a read gives up.
 */
export class StreamReader {
  readonly #connection: Connection
  readonly #clock: () => number
  readonly #nonce: string
  readonly #old: OffloadedReader

  constructor(connection: Connection, clock: () => number, nonce: string, old: OffloadedReader) {
    this.#connection = connection
    this.#old = old
    this.#clock = clock
    this.#nonce = nonce
  }

  async known(path: string): Promise<FoundStream | undefined> {
    const [row] = await this.#connection.read(STREAM, [path])
    return row === undefined ? undefined : this.#found(row)
  }

  /** @throws {RouseError} `GONE`. */
  async alive(path: string): Promise<FoundStream | undefined> {
    return this.#living(path, await this.known(path))
  }

  /** Of many paths those that are alive. */
  async aliveAll(paths: readonly string[]): Promise<Map<string, FoundStream>> {
    if (paths.length === 0) return new Map()
    const rows = await this.#connection.read(STREAMS, [JSON.stringify(paths)])
    const found = rows.map((row) => this.#found(row))
    const alive = found.filter(({ state }) => standingOf(state, this.#clock()) === "alive")
    return new Map(alive.map((one) => [one.state.path, one]))
  }

  /**
   * A stream together with a row beside it, both as one commit left them.
   *
   * @param sql Selects the row by the stream `s`.
   */
  async aliveWith(path: string, sql: string): Promise<(FoundStream & { readonly beside: SqlRow | null }) | undefined> {
    const whole = `SELECT s.*, ${TAIL}, (SELECT row_to_json(l) FROM (${sql}) l) AS beside FROM ~stream s WHERE s.path = $1`
    const [row] = await this.#connection.read(whole, [path])
    const found = this.#living(path, row === undefined ? undefined : this.#found(row))
    return found && { ...found, beside: row?.["beside"] as SqlRow | null }
  }

  async liveRows(url: string, path: string, collection: string | undefined): Promise<LiveRows | undefined> {
    const of = collection === undefined ? "" : " AND r.collection = $3"
    const sql = `SELECT s.*, ${TAIL}, (SELECT json_agg(json_build_array(r.collection, r.key, r.value) ORDER BY r.collection, r.key)
      FROM ~entity e JOIN ~"row" r ON r.tree = e.tree AND r.entity = e.id WHERE e.url = $2${of}) AS rows FROM ~stream s WHERE s.path = $1`
    const [row] = await this.#connection.read(sql, collection === undefined ? [path, url] : [path, url, collection])
    const found = this.#living(path, row === undefined ? undefined : this.#found(row))
    if (found === undefined) return undefined
    const rows = (row?.["rows"] ?? []) as readonly (readonly [string, string, string])[]
    return { info: infoOf(found.state), rows: rows.map(([name, key, json]) => ({ collection: name, key, json })) }
  }

  async read(path: string, from: Offset, bytesMax: number): Promise<ReadResult> {
    const found = await this.alive(path)
    if (found === undefined) throw unknownStream(path)
    const segments = await this.segments(found, from)
    const position = await this.position(found.state, segments, from)
    const { chunks, end } = await this.#chunks(found.state, segments, position, bytesMax)
    if (end === position && position < found.state.tail) await this.#explainLoss(found.state, position, from)
    return resultOf(found.state, segments, chunks, position, end)
  }

  async readBack(path: string, before: Offset, bytesMax: number): Promise<ReadResult> {
    const found = await this.alive(path)
    if (found === undefined) throw unknownStream(path)
    const segments = await this.segments(found, START)
    const end = await this.position(found.state, segments, before)
    const { chunks, start } = await this.#chunksBefore(found.state, segments, end, bytesMax)
    return resultOf(found.state, segments, chunks, start, end)
  }

  /** The segments that a read from an offset needs: those above a fork only when it begins there. */
  async segments({ state, tree, offloaded }: FoundStream, from: Offset): Promise<readonly PlacedSegment[]> {
    const { id, incarnation, fork, tail } = state
    const own = { stream: id, incarnation, start: fork?.at ?? 0, end: tail, tree, offloaded }
    const position = parseOffset(incarnation, from)
    if (fork === null || (position !== undefined && position >= own.start)) return [own]
    const rows = await this.#connection.read(LINE, [tree, id])
    if (rows.at(-1)?.["forked_from"] !== null) throw unknownStream(state.path)
    const line = rows.map((row) => ({
      id: Number(row["id"]),
      at: Number(row["at"]),
      incarnation: incarnationOf(Number(row["id"]), this.#nonce),
    }))
    const places = new Map(
      rows.map((row) => [Number(row["id"]), { tree: Number(row["tree"]), offloaded: Number(row["offloaded"]) }]),
    )
    return segmentsOf(line, tail).map((segment) => ({
      ...segment,
      ...(places.get(segment.stream) ?? { tree, offloaded }),
    }))
  }

  /** Only the beginning, the tail and the ends of batches can be read from: anything else was never handed out. */
  async position(state: StreamState, segments: readonly PlacedSegment[], from: Offset): Promise<number> {
    const position = positionOf(segments, from)
    if (position === undefined) throw badOffset(state, from)
    if (position < state.horizon) throw goneBelow(state, from)
    if (position === state.horizon || isBoundary(segments, position, () => false)) return position
    const { stream } = segmentAt(segments, position)
    const { tree = 0, offloaded = 0 } = segments.find((segment) => segment.stream === stream) ?? {}
    const isEnd = position === offloaded || (await this.#endsAt(tree, stream, position))
    if (isBoundary(segments, position, () => isEnd)) return position
    throw badOffset(state, from)
  }

  async #endsAt(tree: number, stream: number, position: number): Promise<boolean> {
    const sql = "SELECT 1 FROM ~chunk WHERE tree = $1 AND stream = $2 AND tail = $3"
    if ((await this.#connection.read(sql, [tree, stream, position])).length > 0) return true
    return this.#old.endsAt(tree, stream, position)
  }

  async #chunks(
    state: StreamState,
    segments: readonly PlacedSegment[],
    from: number,
    bytesMax: number,
  ): Promise<{ readonly chunks: Uint8Array[]; readonly end: number }> {
    const chunks: Uint8Array[] = []
    const limit = from + bytesMax
    let end = from
    for (const segment of segments) {
      const upTo = segment.end
      while (end < upTo && (chunks.length === 0 || end < limit)) {
        const before = end
        for (const { tail: last, data } of await this.#batchesAfter(segment, end, Math.min(upTo, limit))) {
          const tail = Math.min(last, upTo)
          if (last - data.length !== end || (chunks.length > 0 && tail > limit)) break
          chunks.push(data.subarray(0, tail - end))
          end = tail
        }
        if (end === before) break
      }
      if (end < upTo) break
    }
    return { chunks, end: Math.min(end, state.tail) }
  }

  /** The first batches behind a position, and at least one, if any is there. */
  async #batchesAfter(segment: PlacedSegment, from: number, limit: number): Promise<readonly FoundBatch[]> {
    const { tree, stream, offloaded } = segment
    if (from >= offloaded) {
      const batches = (await this.#connection.read(RUN, [tree, stream, from, limit])).map(batchOf)
      if (beginsAt(batches[0]) === from) return batches
    }
    return this.#old.after(tree, stream, from, limit)
  }

  /** Whole batches that end at `end`, in order; where a fork leaves its source, what the fork has of one. */
  async #chunksBefore(
    state: StreamState,
    segments: readonly PlacedSegment[],
    end: number,
    bytesMax: number,
  ): Promise<{ readonly chunks: Uint8Array[]; readonly start: number }> {
    const chunks: Uint8Array[] = []
    let start = end
    while (start > state.horizon && (chunks.length === 0 || end - start < bytesMax)) {
      const segment = segments.findLast((one) => one.start < start)
      if (segment === undefined) break
      const before = start
      for (const { data, tail } of await this.#batchesBefore(segment, state.horizon, start)) {
        const part = data.subarray(0, Math.max(data.length - (tail - start), 0))
        if (part.length === 0 || start <= Math.max(segment.start, state.horizon)) break
        if (chunks.length > 0 && end - start + part.length > bytesMax) return { chunks: chunks.reverse(), start }
        chunks.push(part)
        start -= part.length
        if (end - start >= bytesMax) break
      }
      if (start === before) break
    }
    return { chunks: chunks.reverse(), start }
  }

  /** The last batches before a position, the last one first. */
  async #batchesBefore(segment: PlacedSegment, horizon: number, before: number): Promise<readonly FoundBatch[]> {
    const { tree, stream, offloaded } = segment
    if (before > offloaded) {
      const first = Math.max(segment.start, horizon, offloaded)
      const rows = await this.#connection.read(RUN_BACK, [tree, stream, first, before, BACK_BATCHES_MAX])
      const batches = rows.map(batchOf)
      if ((beginsAt(batches[0]) ?? before) < before) return batches
    }
    return this.#old.before(tree, stream, before)
  }

  /** @throws {RouseError} `UNKNOWN_STREAM` or `GONE` when the stream was deleted or trimmed, and swept, since its state was read. */
  async #explainLoss(state: StreamState, from: number, asked: Offset): Promise<never> {
    const now = (await this.alive(state.path))?.state
    throw now?.id === state.id && from < now.horizon ? goneBelow(now, asked) : unknownStream(state.path)
  }

  #found(row: SqlRow): FoundStream {
    return { state: streamOf(row, this.#nonce), tree: Number(row["tree"]), offloaded: Number(row["offloaded"]) }
  }

  #living(path: string, found: FoundStream | undefined): FoundStream | undefined {
    const standing = standingOf(found?.state, this.#clock())
    if (standing === "gone") throw absence(path, found?.state)
    return standing === "alive" ? found : undefined
  }
}

function batchOf(row: SqlRow): FoundBatch {
  return { tail: Number(row["tail"]), data: row["data"] as Uint8Array }
}

function beginsAt(batch: FoundBatch | undefined): number | undefined {
  return batch && batch.tail - batch.data.length
}

function resultOf(
  state: StreamState,
  segments: readonly Segment[],
  chunks: readonly Uint8Array[],
  start: number,
  end: number,
): ReadResult {
  const [only] = chunks
  return {
    info: infoOf(state),
    data: only !== undefined && chunks.length === 1 ? only : concatBytes(chunks),
    chunks,
    start: offsetAt(segments, start),
    next: offsetAt(segments, end),
    upToDate: end === state.tail,
  }
}

export function infoOf(state: StreamState): StreamInfo {
  return {
    path: state.path,
    contentType: state.contentType,
    next: encodeOffset(state.incarnation, state.tail),
    closed: state.closed,
    createdAtMs: state.createdAtMs,
    ...(state.ttlSeconds === null ? {} : { ttlSeconds: state.ttlSeconds }),
    ...(state.expiresAtMs === null ? {} : { expiresAtMs: state.expiresAtMs }),
    incarnation: state.incarnation,
    ...(state.horizon === 0 ? {} : { horizon: encodeOffset(state.incarnation, state.horizon) }),
  }
}
