import type { WakeInfo, WakeRow } from "@rouse/protocol"
import { isoTime } from "./control.ts"

/** What the log says of an attempt of a wake once it has ended, by whoever's word. */
export function endedWakeRow(
  { wake, atMs }: { readonly wake: WakeInfo; readonly atMs: number },
  outcome: NonNullable<WakeRow["outcome"]>,
  error: string | undefined,
  nowMs: number,
): WakeRow {
  const { id, attempt, epoch, reasons } = wake
  return {
    id,
    attempt,
    epoch,
    reasons: [...new Set(reasons.map((reason) => reason.kind))],
    at: isoTime(atMs),
    endedAt: isoTime(nowMs),
    outcome,
    ...(error === undefined ? {} : { error }),
  }
}
