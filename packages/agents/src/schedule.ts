import type { CatchUp, ScheduleRule } from "@rouse/protocol"
import { Cron } from "croner"
import { checkRule as checkText, invalid } from "./core/schedule-rule.ts"

/** Missed occurrences that `all` makes up for at most: the newest. */
export const CATCH_UP_MAX = 100
/** An occurrence that is later than this was missed. */
export const LATE_MS_MAX = 60_000

/**
 * Checks a rule, with its calendar.
 *
 * @param nowMs Milliseconds since the Unix epoch. Without it, a time in the past is no fault.
 * @throws {RouseError} `INVALID_ARGS` naming the field: `cron`, `timezone`, `every` or `at`.
 */
export function checkRule(rule: ScheduleRule, nowMs?: number): void {
  checkText(rule, nowMs)
  if (!("cron" in rule)) return
  let next: number | undefined
  try {
    next = nextOf({ cron: rule.cron }, nowMs ?? 0)
  } catch (error) {
    const why = error instanceof Error ? error.message : "syntax"
    throw invalid("cron", `${JSON.stringify(rule.cron)} cannot be read: ${why}`)
  }
  if (next === undefined) throw invalid("cron", `${JSON.stringify(rule.cron)} never comes due`)
}

/**
 * When a schedule that is made now comes due first.
 *
 * @param nowMs Milliseconds since the Unix epoch.
 */
export function firstDueAtMs(rule: ScheduleRule, nowMs: number): number {
  if ("at" in rule) return Date.parse(rule.at)
  if ("every" in rule) return nowMs + rule.every
  const next = nextOf(rule, nowMs)
  if (next === undefined) throw invalid("cron", `${JSON.stringify(rule.cron)} never comes due`)
  return next
}

/** What a due schedule does now: the occurrences that it sends, oldest first, and when it comes due again; undefined: never. */
export interface DueNow {
  readonly sends: readonly number[]
  readonly nextMs: number | undefined
}

/**
 * Decides what a schedule does that fell due at `dueAtMs` and is looked at now. Pure.
 *
 * Every occurrence from `dueAtMs` to `nowMs` is due. Of more than one, or of one that is later than `LATE_MS_MAX`, the others were missed:
 * `skip` sends the newest if it is not late, `once` the newest in any case, `all` the newest `CATCH_UP_MAX`.
 */
export function dueNow(rule: ScheduleRule, catchUp: CatchUp, dueAtMs: number, nowMs: number): DueNow {
  const due = newestDue(rule, dueAtMs, nowMs, catchUp === "all" ? CATCH_UP_MAX : 1)
  const last = due.at(-1) ?? dueAtMs
  const sends = catchUp === "skip" && nowMs - last > LATE_MS_MAX ? [] : due
  return { sends, nextMs: nextAfter(rule, dueAtMs, nowMs) }
}

/** The newest occurrences from `dueAtMs` to `nowMs`, oldest first. */
function newestDue(rule: ScheduleRule, dueAtMs: number, nowMs: number, max: number): readonly number[] {
  if ("at" in rule) return [dueAtMs]
  if ("every" in rule) {
    const last = Math.max(0, Math.floor((nowMs - dueAtMs) / rule.every))
    const first = Math.max(0, last - max + 1)
    return Array.from({ length: last - first + 1 }, (_, index) => dueAtMs + (first + index) * rule.every)
  }
  // The search is for what is before its reference, in whole seconds.
  const found = cronOf(rule).previousRuns(max, new Date(Math.floor(nowMs / 1_000) * 1_000 + 1_000))
  const due = found.map((time) => time.getTime()).filter((ms) => ms >= dueAtMs && ms <= nowMs)
  return due.length === 0 ? [dueAtMs] : due.sort((a, b) => a - b)
}

function nextAfter(rule: ScheduleRule, dueAtMs: number, nowMs: number): number | undefined {
  if ("at" in rule) return undefined
  if ("every" in rule) return dueAtMs + (Math.max(0, Math.floor((nowMs - dueAtMs) / rule.every)) + 1) * rule.every
  return nextOf(rule, Math.max(nowMs, dueAtMs))
}

type CronRule = Extract<ScheduleRule, { cron: string }>

function nextOf(rule: CronRule, afterMs: number): number | undefined {
  return cronOf(rule).nextRun(new Date(afterMs))?.getTime()
}

function cronOf({ cron, timezone = "UTC" }: CronRule): Cron {
  return new Cron(cron, { paused: true, timezone, mode: "5-or-6-parts" })
}
