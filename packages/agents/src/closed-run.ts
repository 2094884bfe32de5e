import type { RunRow, WakeOutcome } from "@rouse/protocol"
import { cacheHit } from "./core/cache-hit.ts"
import { stepsOf, sumUsage } from "./core/run-state.ts"
import type { Session } from "./session.ts"

/** What ends a wake, and not only an attempt of it. */
export type End = Exclude<WakeOutcome, { kind: "sliced" }>

/** A run's row when its wake ends: over, or suspended. */
export function closedRun(session: Session, opened: RunRow, finish: End): RunRow {
  const usage = sumUsage(stepsOf(session.rows, session.run))
  const hit = cacheHit(session.rows, session.run)
  const used = {
    ...opened,
    ...(usage.inputTokens + usage.outputTokens > 0 ? { usage } : {}),
    ...(hit === undefined ? {} : { cacheHitOnWake: hit }),
  }
  if (finish.kind === "suspended") return { ...used, status: "suspended" }
  const ended = { ...used, status: finish.kind, endedAt: session.now() }
  if (finish.kind === "completed") return { ...ended, reply: finish.reply }
  return finish.kind === "failed" ? { ...ended, error: finish.error } : ended
}
