import type { DeltaRow } from "./run-rows.ts"

/** What is known of a streaming part after one more piece of it, as one piece. A piece at 0 begins the part anew. */
export function mergeDelta(before: DeltaRow | undefined, next: DeltaRow): DeltaRow {
  const known = before === undefined ? -1 : next.at - before.at
  if (before === undefined || next.at === 0 || known < 0) return next
  return { ...next, at: before.at, text: before.text.slice(0, known) + next.text }
}
