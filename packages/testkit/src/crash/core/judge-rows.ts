import { LOG_ONLY_COLLECTIONS, type Row } from "@rouse/protocol"
import { liveOf } from "@rouse/protocol/fork"
import type { EntityLog, History, Violation } from "./history.ts"

/** P8: the rows of an entity are what its log amounts to. */
export function judgeRows({ logs }: History): readonly Violation[] {
  return logs.flatMap((log) => (log.rows === undefined ? [] : judgeLog(log, log.rows)))
}

function judgeLog(log: EntityLog, rows: readonly Row[]): readonly Violation[] {
  const kept = new Map(rows.map((row) => [nameOf(row), JSON.stringify(row.value)]))
  const said = new Map(liveOf(projected(log)).map((row) => [nameOf(row), JSON.stringify(row.value)]))
  const wrong = [...new Set([...kept.keys(), ...said.keys()])].find((name) => kept.get(name) !== said.get(name))
  if (wrong === undefined) return []
  const what = `${wrong} is ${kept.get(wrong) ?? "no row"}, and by the log ${said.get(wrong) ?? "none"}`
  return [{ rule: "P8", where: log.url, what }]
}

function projected({ events }: EntityLog): readonly Row[] {
  const rows = new Map<string, Row>()
  for (const { type: collection, key, value, headers } of events) {
    if (LOG_ONLY_COLLECTIONS.has(collection)) continue
    const row: Row = { collection, key, value: value ?? null }
    if (headers.operation === "delete") rows.delete(nameOf(row))
    else rows.set(nameOf(row), row)
  }
  return [...rows.values()]
}

function nameOf({ collection, key }: Row): string {
  return `${collection} ${key}`
}
