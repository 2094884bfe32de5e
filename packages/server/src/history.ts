import { type ChangeEvent, entityStreamPath, type EntityUrl, type Row, START } from "@rouse/protocol"
import type { Plane } from "./plane.ts"

/** Bytes of a log that are read at once. */
const READ_BYTES = 1_048_576

/**
 * Every change on an entity's log, oldest first: also of rows that are no longer live. Costs what the log holds. Of a log that was
 * compacted: what it amounted to at its horizon, and every change from there on.
 */
export async function* changesOf(plane: Plane, url: EntityUrl): AsyncGenerator<ChangeEvent, void> {
  const path = entityStreamPath(url)
  const horizon = (await plane.store.stream(path))?.horizon
  const base = horizon === undefined ? undefined : await plane.store.snapshot(path, horizon)
  if (base) yield* changesIn(base.data)
  let from = base?.at ?? horizon ?? START
  for (;;) {
    const { chunks, next, upToDate } = await plane.store.read(path, from, READ_BYTES)
    for (const chunk of chunks) yield* changesIn(chunk)
    if (upToDate) return
    from = next
  }
}

/** The changes of an append, or of a snapshot: each with a comma behind it. What controls a reader is none. */
export function changesIn(wire: Uint8Array): readonly ChangeEvent[] {
  const text = new TextDecoder().decode(wire).replace(/,\s*$/, "")
  const messages = JSON.parse(`[${text}]`) as Partial<ChangeEvent>[]
  return messages.filter((message): message is ChangeEvent => message.type !== undefined)
}

/** The newest value of each row that the log has and did not delete, past ones too, sorted by collection and key. */
export async function allRows(plane: Plane, url: EntityUrl, collection?: string): Promise<readonly Row[]> {
  const rows = new Map<string, Row>()
  for await (const { type, key, value, headers } of changesOf(plane, url)) {
    if (collection !== undefined && type !== collection) continue
    const name = `${type}\n${key}`
    if (headers.operation === "delete") rows.delete(name)
    else rows.set(name, { collection: type, key, value: value ?? null })
  }
  return [...rows].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, row]) => row)
}

/** One row of the log, live or past. */
export async function anyRow(plane: Plane, url: EntityUrl, collection: string, key: string): Promise<Row | undefined> {
  const live = await plane.store.row(url, collection, key)
  if (live || (await plane.store.row(url, "context", "summary")) === undefined) return live
  return (await allRows(plane, url, collection)).find((row) => row.key === key)
}
