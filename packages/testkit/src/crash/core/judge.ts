import type { History, Violation } from "./history.ts"
import { judgeDeliveries } from "./judge-deliveries.ts"
import { judgeEffects } from "./judge-effects.ts"
import { apart, judgeForks } from "./judge-forks.ts"
import { judgeJoint } from "./judge-joint.ts"
import { judgeMessages } from "./judge-messages.ts"
import { judgeObservations } from "./judge-observations.ts"
import { judgeRest } from "./judge-rest.ts"
import { judgeRows } from "./judge-rows.ts"
import { judgeSchedules } from "./judge-schedules.ts"
import { judgeTranscripts } from "./judge-transcripts.ts"

/** Every broken promise in what is left of a run. Pure. */
export function judge(history: History): readonly Violation[] {
  const parts = apart(history)
  return [...judgeOwn(parts.own), ...judgeForks(history, parts), ...judgeRows(history)]
}

function judgeOwn(history: History): readonly Violation[] {
  return [
    ...judgeMessages(history),
    ...judgeEffects(history),
    ...judgeDeliveries(history),
    ...judgeJoint(history),
    ...judgeSchedules(history),
    ...judgeObservations(history),
    ...judgeTranscripts(history),
    ...judgeRest(history),
  ]
}
