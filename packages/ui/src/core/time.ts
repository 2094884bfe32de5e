const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** How long ago, in as few characters as a column allows: `now`, `12s`, `4m`, `3h`, `6d`, then the date. */
export function relativeTime(atMs: number, nowMs: number): string {
  const age = nowMs - atMs
  if (Number.isNaN(age)) return ""
  if (age < 5 * SECOND) return "now"
  if (age < MINUTE) return `${Math.floor(age / SECOND)}s`
  if (age < HOUR) return `${Math.floor(age / MINUTE)}m`
  if (age < DAY) return `${Math.floor(age / HOUR)}h`
  if (age < 7 * DAY) return `${Math.floor(age / DAY)}d`
  return dayOf(atMs, new Date(atMs).getFullYear() !== new Date(nowMs).getFullYear())
}

/** How long until, as short: `in 12s`, `in 4m`, `in 3h`, `in 6d`, then the date; `now` when it is past. */
export function timeUntil(atMs: number, nowMs: number): string {
  const left = atMs - nowMs
  if (Number.isNaN(left)) return ""
  if (left < SECOND) return "now"
  if (left < MINUTE) return `in ${Math.floor(left / SECOND)}s`
  if (left < HOUR) return `in ${Math.floor(left / MINUTE)}m`
  if (left < DAY) return `in ${Math.floor(left / HOUR)}h`
  if (left < 30 * DAY) return `in ${Math.floor(left / DAY)}d`
  return dayOf(atMs, true)
}

/** How long ago, within a sentence: `just now`, `4m ago`, `1 Oct`. */
export function ageInWords(atMs: number, nowMs: number): string {
  const age = relativeTime(atMs, nowMs)
  if (age === "now") return "just now"
  return /^\d+[smhd]$/.test(age) ? `${age} ago` : age
}

/** A length of time as a person says it: `85 ms`, `1.2 s`, `2 m 05 s`, `1 h 02 m`. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return ""
  if (ms < SECOND) return `${Math.round(ms)} ms`
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1)} s`
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} m ${pad(Math.floor((ms % MINUTE) / SECOND))} s`
  return `${Math.floor(ms / HOUR)} h ${pad(Math.floor((ms % HOUR) / MINUTE))} m`
}

/** A length that is still growing: whole seconds, never below 0. */
export function elapsed(ms: number): string {
  const whole = Math.max(0, Math.floor(ms / SECOND) * SECOND)
  return whole < MINUTE ? `${whole / SECOND} s` : duration(whole)
}

/** The length between two ISO times, or undefined when either is missing or not a time. */
export function between(startedAt: string | undefined, endedAt: string | undefined): number | undefined {
  if (startedAt === undefined || endedAt === undefined) return undefined
  const ms = Date.parse(endedAt) - Date.parse(startedAt)
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined
}

/** The full date and time, for a title: local, to the second. */
export function fullTime(atMs: number): string {
  return Number.isFinite(atMs) ? FULL.format(atMs) : ""
}

const FULL = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" })
const DAY_MONTH = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" })
const DAY_MONTH_YEAR = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "2-digit" })

const dayOf = (atMs: number, year: boolean): string => (year ? DAY_MONTH_YEAR : DAY_MONTH).format(atMs)
const pad = (n: number): string => String(n).padStart(2, "0")
