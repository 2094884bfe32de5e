/**
 * What is wrong with the text of a cron expression, without a calendar: a handler on the edge carries none. Whoever keeps the schedule reads
 * it in full, so that what is refused here is wrong, and what is not may still be refused there.
 */

interface Field {
  readonly name: string
  readonly min: number
  readonly max: number
  /** Words for numbers, from `min` on. */
  readonly words?: readonly string[]
  /** What else may stand in it. */
  readonly special?: RegExp
}

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const NICKNAME = /^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$/i
const PART = /^(?:[*?]|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/

const FIELDS: readonly Field[] = [
  { name: "second", min: 0, max: 59 },
  { name: "minute", min: 0, max: 59 },
  { name: "hour", min: 0, max: 23 },
  { name: "day of the month", min: 1, max: 31, special: /^(L|LW|\d+W)$/ },
  { name: "month", min: 1, max: 12, words: MONTHS },
  { name: "day of the week", min: 0, max: 7, words: DAYS, special: /^\w+(#[1-5L]|L)$/ },
]

/** The fault of a cron expression of five or six fields, for a sentence; undefined when none is seen. */
export function cronFault(text: string): string | undefined {
  const trimmed = text.trim()
  if (NICKNAME.test(trimmed)) return undefined
  const texts = trimmed.toUpperCase().split(/\s+/)
  if (texts.length !== 5 && texts.length !== 6) return "cannot be read: it has not five or six fields"
  const fields = texts.length === 5 ? ["0", ...texts] : texts
  for (const [index, field] of FIELDS.entries()) {
    const bad = fields[index]
      ?.replace(/^\+/, index === 5 ? "" : "+")
      .split(",")
      .find((part) => !isPart(part, field))
    if (bad !== undefined) return `cannot be read: "${bad}" is no ${field.name}`
  }
  return isNever(fields) ? "never comes due" : undefined
}

function isPart(part: string, field: Field): boolean {
  if (field.special?.test(part)) return true
  const [whole, from, to, step] = PART.exec(part) ?? []
  if (whole === undefined || (step !== undefined && Number(step) === 0)) return false
  // A step goes with a range or with all, not with one value.
  if (from !== undefined && to === undefined && step !== undefined) return false
  return [from, to].every((value) => value === undefined || valueOf(value, field) !== undefined)
}

function valueOf(text: string, { min, max, words = [] }: Field): number | undefined {
  const word = words.indexOf(text)
  if (word >= 0) return min + word
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  return value >= min && value <= max ? value : undefined
}

/** Whether it asks for days that none of its months has, such as 30 February. */
function isNever([, , , days = "", months = "", weekdays = ""]: readonly string[]): boolean {
  const month = FIELDS[4] as Field
  if (!/^[*?]$/.test(weekdays) || !/^[\d,]+$/.test(days) || !/^[\w,]+$/.test(months)) return false
  const longest = Math.max(...months.split(",").map((text) => MONTH_DAYS[(valueOf(text, month) ?? 1) - 1] ?? 31))
  return Math.min(...days.split(",").map(Number)) > longest
}
