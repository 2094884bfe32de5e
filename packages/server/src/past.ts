import { type ChangeEvent, isPast, isRunAfter, RouseError, SUMMARY_KEY, summaryOf } from "@rouse/protocol"
import type { EntityDraft } from "./core/draft.ts"
import type { Plane } from "./plane.ts"

/**
 * Takes the rows that a new summary covers out of the live ones, in the summary's own commit (P4). The log keeps them, and is told
 * nothing but the summary.
 *
 * @throws {RouseError} `INVALID_ARGS` when the summary covers the run under way.
 */
export async function planPast(
  plane: Plane,
  self: EntityDraft,
  run: string | undefined,
  events: readonly ChangeEvent[],
): Promise<void> {
  const written = events.findLast((event) => event.type === "context" && event.key === SUMMARY_KEY)
  const summary = summaryOf(written?.value)
  if (summary === undefined) return
  if (run === undefined || typeof summary.through !== "string" || !isRunAfter(run, summary.through))
    throw new RouseError("INVALID_ARGS", `context: a summary through ${summary.through} would cover the run under way`)
  const before = await plane.transactor.rows(self.url)
  const changed = new Set(events.map((event) => `${event.type}\n${event.key}`))
  for (const { collection, key, value } of before) {
    if (!changed.has(`${collection}\n${key}`) && isPast(collection, key, value, summary)) self.forget(collection, key)
  }
}
