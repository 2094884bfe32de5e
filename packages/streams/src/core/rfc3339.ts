const PATTERN = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const DAYS_TO_1970 = 719_528

/**
 * A moment as RFC 3339 writes it, in milliseconds since the Unix epoch; undefined when it is not one, or is a day or time that does
 * not exist. Leap seconds are not accepted.
 */
export function parseRfc3339(value: string): number | undefined {
  const match = PATTERN.exec(value)
  if (match === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number)
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const [fraction, sign, offsetHour = "0", offsetMinute = "0"] = match.slice(7)
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) return undefined
  const offsetMinutes = (sign === "-" ? -1 : 1) * (Number(offsetHour) * 60 + Number(offsetMinute))
  const minutes = (daysBefore(year, month) + day - 1) * 1440 + hour * 60 + minute - offsetMinutes
  return minutes * 60_000 + second * 1000 + Math.floor(Number(`0.${fraction ?? "0"}`) * 1000)
}

/** Days from 1970 to the first of a month. */
function daysBefore(year: number, month: number): number {
  const years = year - 1
  const leaps = Math.floor(years / 4) - Math.floor(years / 100) + Math.floor(years / 400)
  let days = year * 365 + leaps + 1 - DAYS_TO_1970
  for (let earlier = 1; earlier < month; earlier++) days += daysIn(year, earlier)
  return days
}

function daysIn(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return month === 2 && isLeap ? 29 : (MONTH_DAYS[month - 1] ?? 0)
}
