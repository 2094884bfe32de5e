import type { Offset } from "./offset.ts"
import type { ChangeNotice, ObservedChange, ObserveSource } from "./observe.ts"

/** Changes that a notice shows: the others are counted. */
const CHANGES_MAX = 32
/** A row that takes more, as JSON text, is left out: it can be read at its source. */
const ROW_CHARS_MAX = 2_048
/** The rows of one notice together. */
const ROWS_CHARS_MAX = 16_384

/** A notice of nothing yet, from an offset. */
export function emptyNotice(observation: string, source: ObserveSource, from: Offset): ChangeNotice {
  return { observation, source, from, to: from, count: 0, changes: [] }
}

/** A notice with one more change. Rows are shown as far as there is room. */
export function foldChange(notice: ChangeNotice, change: ObservedChange): ChangeNotice {
  const count = notice.count + 1
  if (notice.changes.length >= CHANGES_MAX) return { ...notice, count }
  return { ...notice, count, changes: [...notice.changes, fitting(change, ROWS_CHARS_MAX - sizeOf(notice))] }
}

/** Two notices of one observation as one: the range is that of both. */
export function addNotice(first: ChangeNotice, next: ChangeNotice): ChangeNotice {
  const shown = next.changes.reduce(foldChange, first)
  const lost = first.lost === true || next.lost === true ? { lost: true as const } : {}
  return { ...shown, to: next.to, count: first.count + next.count, ...lost }
}

function fitting(change: ObservedChange, room: number): ObservedChange {
  const size = rowSize(change)
  if (size <= ROW_CHARS_MAX && size <= room) return change
  const { row: _, ...rest } = change
  return rest
}

function sizeOf(notice: ChangeNotice): number {
  return notice.changes.reduce((sum, change) => sum + rowSize(change), 0)
}

function rowSize({ row }: ObservedChange): number {
  return row === undefined ? 0 : JSON.stringify(row).length
}
