import type { StatementSync } from "node:sqlite"
import { START } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import type { StreamState } from "../core/stream-state.ts"
import type { ObservationRecord } from "../observation.ts"
import { OBSERVATION_COLUMNS, observationOf, parseFilter } from "./observation-source.ts"

/** Reads of observations, on the reader's connection. */
export class ObservationReader {
  readonly #prepare: (sql: string) => StatementSync
  readonly #streamOf: (path: string) => StreamState | undefined
  readonly #offsetAt: (stream: StreamState, position: number) => Offset

  constructor(
    prepare: (sql: string) => StatementSync,
    streamOf: (path: string) => StreamState | undefined,
    offsetAt: (stream: StreamState, position: number) => Offset,
  ) {
    this.#prepare = prepare
    this.#streamOf = streamOf
    this.#offsetAt = offsetAt
  }

  one(url: string, name: string): ObservationRecord | undefined {
    const sql = `SELECT ${OBSERVATION_COLUMNS}, config FROM observation WHERE url = ? AND name = ?`
    return this.#records(this.#prepare(sql).all(url, name))[0]
  }

  of(url: string): ObservationRecord[] {
    const sql = `SELECT ${OBSERVATION_COLUMNS}, config FROM observation WHERE url = ? ORDER BY name`
    return this.#records(this.#prepare(sql).all(url))
  }

  due(nowMs: number, limit: number): ObservationRecord[] {
    const sql = `SELECT ${OBSERVATION_COLUMNS}, config FROM observation
      WHERE due_at IS NOT NULL AND due_at <= ? ORDER BY due_at, serial LIMIT ?`
    return this.#records(this.#prepare(sql).all(nowMs, limit))
  }

  nextDueAtMs(): number | undefined {
    const row = this.#prepare("SELECT min(due_at) AS at FROM observation WHERE due_at IS NOT NULL").get()
    return (row?.["at"] as number | null) ?? undefined
  }

  /** Streams are looked up once: observations that fall due together are often of one. */
  #records(rows: readonly Record<string, unknown>[]): ObservationRecord[] {
    const offsets = new Map<string, Offset>()
    const streams = new Map<string, StreamState | undefined>()
    const streamAt = (path: string): StreamState | undefined => {
      if (!streams.has(path)) streams.set(path, this.#streamOf(path))
      return streams.get(path)
    }
    const offsetOf = (path: string, position: number): Offset => {
      const key = `${position} ${path}`
      const stream = streamAt(path)
      const offset =
        offsets.get(key) ?? (stream === undefined || position === 0 ? START : this.#offsetAt(stream, position))
      offsets.set(key, offset)
      return offset
    }
    return rows.map((row) => {
      const state = observationOf(row, parseFilter)
      const pending = state.pending && streamAt(state.path) !== undefined
      return { ...state, pending, cursor: offsetOf(state.path, state.cursor), config: row["config"] as string }
    })
  }
}
