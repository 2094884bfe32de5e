import { RouseError, type ScheduleRule } from "@rouse/protocol"
import { cronFault } from "./cron-text.ts"

/** The shortest interval of a schedule. */
export const EVERY_MS_MIN = 1_000
/** The longest: ten years. */
const EVERY_MS_MAX = 10 * 365 * 86_400_000
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
 * Checks a rule as far as it can be without a calendar.
 *
 * @param nowMs Milliseconds since the Unix epoch. Without it, a time in the past is no fault.
 * @throws {RouseError} `INVALID_ARGS` naming the field: `cron`, `timezone`, `every` or `at`.
 */
export function checkRule(rule: ScheduleRule, nowMs?: number): void {
  const kinds = ["cron", "every", "at"].filter((kind) => Object.hasOwn(Object(rule), kind))
  if (kinds.length !== 1) throw invalid("cron, every, at", "give exactly one of them")
  if ("cron" in rule) return checkCron(rule.cron, rule.timezone)
  if ("timezone" in rule) throw invalid("timezone", "goes with cron")
  if ("every" in rule) return checkEvery(rule.every)
  const atMs = typeof rule.at === "string" ? Date.parse(rule.at) : Number.NaN
  if (Number.isNaN(atMs)) throw invalid("at", `${JSON.stringify(rule.at)} is not a time: give ISO 8601`)
  if (nowMs !== undefined && atMs < nowMs) throw invalid("at", `${rule.at} is in the past`)
}

function checkCron(cron: unknown, timezone: unknown): void {
  if (timezone !== undefined && !isTimezone(timezone))
    throw invalid("timezone", `${JSON.stringify(timezone)} is not a time zone; one looks like Europe/Berlin`)
  const fault = typeof cron === "string" ? cronFault(cron) : "cannot be read: it must be a text"
  if (fault !== undefined) throw invalid("cron", `${JSON.stringify(cron)} ${fault}`)
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

export function invalid(field: string, fault: string): RouseError {
  return new RouseError("INVALID_ARGS", `${field}: ${fault}`)
}
