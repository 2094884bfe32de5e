import { type CatchUp, RouseError, type ScheduleRule } from "@rouse/protocol"
import { Cron } from "croner"

/** The shortest interval of a schedule. */
export const EVERY_MS_MIN = 1_000
/** The longest: ten years. */
const EVERY_MS_MAX = 10 * 365 * 86_400_000
/** Missed occurrences that `all` makes up for at most: the newest. */
export const CATCH_UP_MAX = 100
/** An occurrence that is later than this was missed. */
export const LATE_MS_MAX = 60_000
const NAME_CHARS_MAX = 128
/** What may stand in an address, so that a schedule can be named in one. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._~-]*$/

/** @throws {RouseError} `INVALID_ARGS` naming the field. */
export function checkScheduleName(name: string): void {
  if (typeof name === "string" && name.length <= NAME_CHARS_MAX && NAME.test(name)) return
  throw invalid(
    "name",
    `${JSON.stringify(name)} must be 1 to ${NAME_CHARS_MAX} letters, digits and ._~- beginning with a letter or digit`,
  )
}

/**
 * Checks a rule against the clock.
 *
 * @param nowMs Milliseconds since the Unix epoch. Without it, a time in the past is no fault.
 * @throws {RouseError} `INVALID_ARGS` naming the field: `cron`, `timezone`, `every` or `at`.
 */
export function checkRule(rule: ScheduleRule, nowMs?: number): void {
  const kinds = ["cron", "every", "at"].filter((kind) => Object.hasOwn(Object(rule), kind))
  if (kinds.length !== 1) throw invalid("cron, every, at", "give exactly one of them")
  if ("cron" in rule) return checkCron(rule, nowMs ?? 0)
  if ("timezone" in rule) throw invalid("timezone", "goes with cron")
  if ("every" in rule) return checkEvery(rule.every)
  const atMs = typeof rule.at === "string" ? Date.parse(rule.at) : Number.NaN
  if (Number.isNaN(atMs)) throw invalid("at", `${JSON.stringify(rule.at)} is not a time: give ISO 8601`)
  if (nowMs !== undefined && atMs < nowMs) throw invalid("at", `${rule.at} is in the past`)
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

function checkCron({ cron, timezone }: CronRule, nowMs: number): void {
  if (timezone !== undefined && !isTimezone(timezone)) {
    throw invalid("timezone", `${JSON.stringify(timezone)} is not a time zone; one looks like Europe/Berlin`)
  }
  let next: Date | null
  try {
    if (typeof cron !== "string") throw new TypeError("it must be a text")
    next = cronOf({ cron }).nextRun(new Date(nowMs))
  } catch (error) {
    throw invalid(
      "cron",
      `${JSON.stringify(cron)} cannot be read: ${error instanceof Error ? error.message : "syntax"}`,
    )
  }
  if (next === null) throw invalid("cron", `${JSON.stringify(cron)} never comes due`)
}

function isTimezone(name: unknown): boolean {
  if (typeof name !== "string") return false
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== ""
  } catch {
    return false
  }
}

function checkEvery(every: unknown): void {
  if (typeof every === "number" && Number.isInteger(every) && every >= EVERY_MS_MIN && every <= EVERY_MS_MAX) return
  throw invalid("every", `must be whole milliseconds from ${EVERY_MS_MIN} to ${EVERY_MS_MAX}`)
}

function invalid(field: string, fault: string): RouseError {
  return new RouseError("INVALID_ARGS", `${field}: ${fault}`)
}
