import { START } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import { offsetAt } from "../core/lineage.ts"
import type { ObservationRecord } from "../observation.ts"
import type { Connection } from "./connection.ts"
import { numberOrNull, observationOf, parseFilter } from "./states.ts"
import type { SqlRow } from "./states.ts"
import type { FoundStream, PlacedSegment, StreamReader } from "./stream-reader.ts"

const COLUMNS = "serial, version, url, name, path, filter, debounce, cursor, pending, due_at, timeout_at, config"

interface Observed {
  readonly found: FoundStream
  readonly segments: readonly PlacedSegment[]
}

/** Reads of observations. */
export class ObservationReader {
  readonly #connection: Connection
  readonly #streams: StreamReader

  constructor(connection: Connection, streams: StreamReader) {
    this.#connection = connection
    this.#streams = streams
  }

  async one(url: string, name: string): Promise<ObservationRecord | undefined> {
    const sql = `SELECT ${COLUMNS} FROM ~observation WHERE url = $1 AND name = $2`
    return (await this.#records(await this.#connection.read(sql, [url, name])))[0]
  }

  async of(url: string): Promise<ObservationRecord[]> {
    const sql = `SELECT ${COLUMNS} FROM ~observation WHERE url = $1 ORDER BY name`
    return this.#records(await this.#connection.read(sql, [url]))
  }

  async due(nowMs: number, limit: number): Promise<ObservationRecord[]> {
    const sql = `SELECT ${COLUMNS} FROM ~observation
      WHERE due_at IS NOT NULL AND due_at <= $1 ORDER BY due_at, serial LIMIT $2`
    return this.#records(await this.#connection.read(sql, [nowMs, limit]))
  }

  async nextDueAtMs(): Promise<number | undefined> {
    const sql = "SELECT min(due_at) AS at FROM ~observation WHERE due_at IS NOT NULL"
    return numberOrNull((await this.#connection.read(sql, []))[0]?.["at"]) ?? undefined
  }

  /** Streams are looked up together, each once: observations that fall due together are often of one. */
  async #records(rows: readonly SqlRow[]): Promise<ObservationRecord[]> {
    const paths = [...new Set(rows.map((row) => row["path"] as string))]
    const streams = await this.#streams.aliveAll(paths)
    const observed = new Map<string, Observed>()
    for (const [path, found] of streams) {
      observed.set(path, { found, segments: await this.#streams.segments(found, START) })
    }
    return rows.map((row) => {
      const state = observationOf(row, parseFilter)
      const stream = observed.get(state.path)
      const cursor: Offset =
        stream === undefined || state.cursor === 0 ? START : offsetAt(stream.segments, state.cursor)
      return { ...state, pending: state.pending && stream !== undefined, cursor, config: row["config"] as string }
    })
  }
}
