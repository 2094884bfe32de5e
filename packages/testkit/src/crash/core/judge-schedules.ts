import type { ScheduleRow } from "@rouse/protocol"
import type { EntityLog, History, Violation } from "./history.ts"

/** The most that `all` makes up for, and how late an occurrence may be that `skip` still sends: as the documentation says. */
const ALL_MAX = 100
const LATE_MS_MAX = 60_000
const MINUTE_MS = 60_000

/**
 * P1 for schedules: what was due was sent once, as the rule for what was missed says, and nothing else was. The occurrences are counted
 * here from each schedule's own beginning, by plain arithmetic.
 */
export function judgeSchedules({ logs }: History): readonly Violation[] {
  return logs.flatMap(judgeLog)
}

function judgeLog(log: EntityLog): readonly Violation[] {
  const { faults, expected } = expectedOf(log)
  const sent = sentOf(log)
  const names = new Set([...expected.keys(), ...sent.keys()])
  const wrong = [...names].flatMap((name): Violation[] => {
    const [due, got] = [expected.get(name) ?? [], sent.get(name) ?? []].map((list) => list.toSorted().join(", "))
    return due === got ? [] : [{ rule: "P1", where: `${log.url} ${name}`, what: `was to send ${due}, and sent ${got}` }]
  })
  return [...faults, ...wrong]
}

/** The occurrences that were sent, by schedule. */
function sentOf({ events }: EntityLog): ReadonlyMap<string, readonly string[]> {
  const sent = new Map<string, string[]>()
  for (const { type, value, headers } of events) {
    const { schedule } = (type === "message" && headers.operation === "insert" ? value : {}) as {
      readonly schedule?: { readonly name: string; readonly dueAt: string }
    }
    if (schedule) sent.set(schedule.name, [...(sent.get(schedule.name) ?? []), schedule.dueAt])
  }
  return sent
}

interface Expected {
  readonly expected: ReadonlyMap<string, readonly string[]>
  readonly faults: readonly Violation[]
}

/** The occurrences that were to be sent, from how each schedule went on. */
function expectedOf({ url, events }: EntityLog): Expected {
  const rows = new Map<string, ScheduleRow>()
  const expected = new Map<string, string[]>()
  const faults: Violation[] = []
  for (const { type, key, value, headers } of events) {
    if (type !== "schedule") continue
    const before = rows.get(key)
    const row = value as unknown as ScheduleRow
    if (headers.operation === "delete") rows.delete(key)
    // What is to be made up for is what was asked for, whatever later rows say.
    else rows.set(key, before ? { ...row, ...askedFor(before) } : row)
    if (headers.operation !== "update" || !before?.rule) continue
    const periodMs = periodOf(before)
    const [fromMs, toMs] = [Date.parse(before.dueAt), Date.parse(row.dueAt)]
    if (toMs <= fromMs || (toMs - fromMs) % periodMs !== 0) {
      faults.push({ rule: "P1", where: `${url} ${key}`, what: `was due at ${before.dueAt}, and then at ${row.dueAt}` })
    }
    const due = Array.from({ length: Math.ceil((toMs - fromMs) / periodMs) }, (_, n) => fromMs + n * periodMs)
    const sends = caughtUp(due, before, Date.parse(row.firedAt ?? ""), row.firedAt !== before.firedAt)
    expected.set(key, [...(expected.get(key) ?? []), ...sends.map((ms) => new Date(ms).toISOString())])
  }
  return { expected, faults }
}

function askedFor({ rule, catchUp }: ScheduleRow): Pick<ScheduleRow, "rule" | "catchUp"> {
  return { ...(rule ? { rule } : {}), ...(catchUp ? { catchUp } : {}) }
}

/** Which of the occurrences that were due when it was looked at are sent. */
function caughtUp(due: readonly number[], row: ScheduleRow, firedMs: number, fired: boolean): readonly number[] {
  const newest = due.at(-1) ?? 0
  if (row.catchUp === "all") return due.slice(-ALL_MAX)
  if (row.catchUp === "skip" && (!fired || firedMs - newest > LATE_MS_MAX)) {
    // Within a short period nothing can be so late: it was to be sent.
    return periodOf(row) <= LATE_MS_MAX ? [newest] : []
  }
  return [newest]
}

/** The rules of the simulation: an interval, or every minute. */
function periodOf({ rule }: ScheduleRow): number {
  return rule && "every" in rule ? rule.every : MINUTE_MS
}
