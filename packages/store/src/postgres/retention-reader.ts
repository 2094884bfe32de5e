import { START } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import { offsetAt } from "../core/lineage.ts"
import { encodeOffset } from "../core/offset.ts"
import type { Keep, StoredSnapshot, Trimmable } from "../retention.ts"
import type { StreamPathPage } from "../stream.ts"
import type { Connection } from "./connection.ts"
import { numberOrNull } from "./states.ts"
import { infoOf } from "./stream-reader.ts"
import type { StreamReader } from "./stream-reader.ts"

/** Sorts after every path. */
const PATH_LAST = "\u{10ffff}"

/** Reads of what is kept of streams' past. */
export class RetentionReader {
  readonly #connection: Connection
  readonly #streams: StreamReader

  constructor(connection: Connection, streams: StreamReader) {
    this.#connection = connection
    this.#streams = streams
  }

  /** What a fork's source amounted to before the fork point, the fork amounts to as well. */
  async snapshot(path: string, atMost: Offset | undefined): Promise<StoredSnapshot | undefined> {
    const found = await this.#streams.alive(path)
    if (found === undefined) return undefined
    const segments = await this.#streams.segments(found, START)
    const { state } = found
    const until = atMost === undefined ? state.tail : await this.#streams.position(state, segments, atMost)
    const sql = `SELECT position, data FROM ~snapshot WHERE tree = $1 AND stream = $2 AND position <= $3 ORDER BY position DESC LIMIT 1`
    for (const { tree, stream, end } of segments.toReversed()) {
      const [row] = await this.#connection.read(sql, [tree, stream, Math.min(end, until)])
      if (row === undefined) continue
      return { info: infoOf(state), at: offsetAt(segments, Number(row["position"])), data: row["data"] as Uint8Array }
    }
    return undefined
  }

  async paths({ prefix, after, limit }: StreamPathPage): Promise<string[]> {
    const sql =
      "SELECT path FROM ~stream WHERE path >= $1 AND path < $2 AND path > $3 AND NOT deleted ORDER BY path LIMIT $4"
    const rows = await this.#connection.read(sql, [prefix, prefix + PATH_LAST, after ?? "", limit])
    return rows.map((row) => row["path"] as string)
  }

  /** The end of the last batch that is neither kept by the policy, nor pinned, nor the stream's last. */
  async trimmable(path: string, { nowMs, ageMs, bytes = 0 }: Keep): Promise<Trimmable | undefined> {
    const found = await this.#streams.alive(path)
    if (found === undefined) return undefined
    const { state, tree } = found
    const aged =
      ageMs === undefined ? "" : "AND era < coalesce((SELECT max(n) FROM ~era WHERE tree = 0 AND at <= $6), 0)"
    const last = (table: string): string => `(SELECT tail FROM ~${table} WHERE tree = $1 AND stream = $2 AND tail > $3
      AND tail <= least($4, (SELECT p.at FROM ~pinned_1($1, $2, $5) AS p(at))) ${aged} ORDER BY tail DESC LIMIT 1)`
    // Of what is in the bucket whole objects are taken.
    const sql = `SELECT coalesce(${last("chunk")}, ${last("offloaded")}) AS tail`
    const values = [tree, state.id, state.horizon, state.tail - Math.max(1, bytes), path]
    const [row] = await this.#connection.read(sql, ageMs === undefined ? values : [...values, nowMs - ageMs])
    const to = numberOrNull(row?.["tail"])
    if (to === null) return undefined
    return { to: encodeOffset(state.incarnation, to), bytes: to - state.horizon }
  }

  async neededByForks(path: string): Promise<Offset | undefined> {
    const found = await this.#streams.known(path)
    if (found === undefined) return undefined
    const [row] = await this.#connection.read("SELECT max(fork_at) AS at FROM ~stream WHERE forked_from = $1", [
      found.state.id,
    ])
    const position = numberOrNull(row?.["at"])
    return position === null ? undefined : offsetAt(await this.#streams.segments(found, START), position)
  }
}
