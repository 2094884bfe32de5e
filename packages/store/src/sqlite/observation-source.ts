import type { DatabaseSync, StatementSync } from "node:sqlite"
import type { ObserveFilter } from "@rouse/protocol"
import type { ObservationSource } from "../core/observer-index.ts"
import type { ObservationState } from "../core/observation-state.ts"

export const OBSERVATION_COLUMNS =
  "serial, version, url, name, path, filter, debounce, cursor, pending, due_at, timeout_at"

/** Looks observations up in the writer's own transaction. */
export class SqliteObservations implements ObservationSource {
  readonly #any: StatementSync
  readonly #one: StatementSync
  readonly #observers: StatementSync
  #serialLast: number

  constructor(db: DatabaseSync) {
    this.#any = db.prepare("SELECT 1 FROM observation LIMIT 1")
    this.#one = db.prepare(`SELECT ${OBSERVATION_COLUMNS} FROM observation WHERE url = ? AND name = ?`)
    this.#observers = db.prepare(`SELECT ${OBSERVATION_COLUMNS} FROM observation WHERE path = ? ORDER BY serial`)
    const last = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'observation'").get()
    this.#serialLast = Number(last?.["seq"] ?? 0)
  }

  any(): boolean {
    return this.#any.get() !== undefined
  }

  observation(url: string, name: string): ObservationState | undefined {
    const row = this.#one.get(url, name)
    return row && observationOf(row, parseFilter)
  }

  /** Those who ask the same share one filter, so that a store asks it once. */
  observers(path: string): readonly ObservationState[] {
    const filters = new Map<string, ObserveFilter>()
    const filterOf = (text: string): ObserveFilter => {
      const known = filters.get(text) ?? parseFilter(text)
      filters.set(text, known)
      return known
    }
    return this.#observers.all(path).map((row) => observationOf(row, filterOf))
  }

  newSerial(): number {
    this.#serialLast += 1
    return this.#serialLast
  }
}

export function parseFilter(text: string): ObserveFilter {
  return JSON.parse(text) as ObserveFilter
}

export function observationOf(
  row: Record<string, unknown>,
  filterOf: (text: string) => ObserveFilter,
): ObservationState {
  return {
    serial: row["serial"] as number,
    version: row["version"] as number,
    url: row["url"] as string,
    name: row["name"] as string,
    path: row["path"] as string,
    filter: filterOf(row["filter"] as string),
    debounceMs: row["debounce"] as number,
    cursor: row["cursor"] as number,
    pending: row["pending"] === 1,
    dueAtMs: row["due_at"] as number | null,
    timeoutAtMs: row["timeout_at"] as number | null,
  }
}
