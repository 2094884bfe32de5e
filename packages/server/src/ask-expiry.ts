import type { Timer } from "@rouse/store"
import type { TimedAsk } from "./ask-timer.ts"
import { tell } from "./asks.ts"
import type { Plane } from "./plane.ts"
import { transactAndRouse } from "./rouse.ts"

/** The time of a question is over. */
export async function fireAsk(plane: Plane, timer: Timer, { ask }: TimedAsk): Promise<void> {
  await transactAndRouse(plane, [timer.url], async (planning) => {
    planning.draft.also({ op: "deleteTimer", id: timer.id }, { kind: "timer", id: timer.id })
    const asker = planning.entity(timer.url)
    if (asker) await tell(plane, asker, ask, { code: "TIMED_OUT", error: "it was not answered in time" })
  })
}
