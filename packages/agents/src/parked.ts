import { type ChangeEvent, PARKED_KEY } from "@rouse/protocol"
import { change } from "./batch.ts"
import type { LiveRows } from "./core/rows.ts"
import type { Session } from "./session.ts"

/** How a wake that ended in a question is gone on with. */
interface Parked {
  readonly run: string
  /** Whose memos hold. */
  readonly wake: string
  /** What the handler was shown, and is shown again. */
  readonly messages: readonly string[]
  readonly first: boolean
}

/** What an earlier wake of this run left for the next; undefined when it did not end in a question. */
export function parkedIn(rows: LiveRows, run: string): Parked | undefined {
  const parked = rows.get("memo", PARKED_KEY)?.value as unknown as Parked | undefined
  return parked?.run === run ? parked : undefined
}

/** The change that leaves it. */
export function parkedMemo({ rows, run, began, messages, first }: Session): ChangeEvent {
  const value: Parked = { run, wake: began, messages, first }
  const operation = rows.get("memo", PARKED_KEY) === undefined ? "insert" : "update"
  return change("memo", PARKED_KEY, operation, { wake: began, value })
}
