import type { WakeRow } from "@rouse/protocol"
import type { EntityLog, History, RestingEntity, Violation } from "./history.ts"
import { valuesOf } from "./replay.ts"

/** When all is over, nothing is: no wake, no lease, no open run, no pending message, no timer. */
export function judgeRest({ logs, rest, nextDueAtMs, loose = false }: History): readonly Violation[] {
  return [
    ...logs.flatMap((log) => judgeLog(log, loose)),
    ...rest.flatMap((entity) => judgeEntity(entity, loose)),
    ...(rest.length === logs.length
      ? []
      : [
          {
            rule: "rest" as const,
            where: "the store",
            what: `${rest.length} entities at rest, ${logs.length} while it ran`,
          },
        ]),
    ...(nextDueAtMs === undefined
      ? []
      : [{ rule: "rest" as const, where: "the store", what: "something is still due" }]),
  ]
}

/** How an entity may rest, and a wake end, when people interrupt and stop and models refuse. */
const LOOSE_REST: ReadonlySet<string> = new Set(["idle", "dead", "stopped"])
const LOOSE_WAKES: ReadonlySet<string> = new Set([
  ...["completed", "suspended", "interrupted", "failed", "dead"],
  // The run was closed from outside before the wake was tried again.
  ...["released", "lost", "retry"],
])

function judgeLog(log: EntityLog, loose: boolean): readonly Violation[] {
  const broken = (what: string): Violation => ({ rule: "rest", where: log.url, what })
  const faults: Violation[] = []
  if (log.status !== "idle" && !(loose && LOOSE_REST.has(log.status))) faults.push(broken(`is ${log.status}`))
  if (log.pending !== 0) faults.push(broken(`has ${log.pending} messages pending`))
  for (const [key, values] of valuesOf(log, "wake")) {
    const outcome = values.at(-1)?.outcome
    const isOver = outcome === "completed" || outcome === "suspended" || (loose && LOOSE_WAKES.has(outcome ?? ""))
    // The wake under which an agent was stopped is fenced: nobody writes its end.
    if (!isOver && log.status !== "stopped") faults.push(broken(`the wake ${key} ended ${outcome ?? "not at all"}`))
    faults.push(
      ...judgeEpochs(
        log,
        key,
        values.flatMap((row) => row ?? []),
      ),
    )
  }
  return faults
}

/** P6: every attempt of a wake has a larger epoch than the one before. */
function judgeEpochs(log: EntityLog, key: string, rows: readonly WakeRow[]): readonly Violation[] {
  const started = rows.filter(({ endedAt }) => endedAt === undefined)
  return started.flatMap(({ epoch, attempt }, at): Violation[] => {
    const before = started[at - 1]
    if (before === undefined || (before.epoch < epoch && before.attempt < attempt)) return []
    return [
      {
        rule: "P6",
        where: `${log.url} ${key}`,
        what: `attempt ${attempt} at epoch ${epoch} follows attempt ${before.attempt} at ${before.epoch}`,
      },
    ]
  })
}

interface ControlState {
  readonly wake?: { readonly pending?: number; readonly runOpen?: boolean; readonly phase?: { readonly kind?: string } }
  readonly run?: unknown
}

function judgeEntity({ url, status, dueAtMs, control }: RestingEntity, loose: boolean): readonly Violation[] {
  const broken = (what: string): Violation => ({ rule: "rest", where: url, what: `at rest: ${what}` })
  const { wake, run } = control as ControlState
  const faults: Violation[] = []
  const rests = loose ? LOOSE_REST.has(status) : status === "idle"
  if (!rests || wake?.phase?.kind !== status) faults.push(broken(`${status}, ${wake?.phase?.kind ?? "no phase"}`))
  if (dueAtMs !== null) faults.push(broken("a lease or a wake is still due"))
  if (wake?.pending !== 0 || wake.runOpen !== false || run !== null)
    faults.push(broken("a run or messages are left open"))
  return faults
}
