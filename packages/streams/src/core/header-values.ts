import { RouseError } from "@rouse/protocol"
import { parseRfc3339 } from "./rfc3339.ts"

const NATURAL = /^(0|[1-9][0-9]*)$/
const DIGITS = /^[0-9]+$/
const encoder = new TextEncoder()

/** A non-negative integer without sign, leading zeros, point or exponent. */
export function parseNatural(name: string, value: string, max: number): number {
  if (!NATURAL.test(value)) throw invalid(name, "must be a non-negative whole number in plain digits")
  const number = Number(value)
  if (number > max) throw invalid(name, `must not be above ${max}`)
  return number
}

/** A non-negative integer up to 2^53 - 1. Durable Streams Protocol §5.2.1. */
export function parseSequence(name: string, value: string): number {
  const number = DIGITS.test(value) ? Number(value) : NaN
  if (!Number.isSafeInteger(number)) throw invalid(name, "must be a whole number from 0 to 2^53 - 1")
  return number
}

/** A moment in RFC 3339, in milliseconds since the Unix epoch. */
export function parseMoment(name: string, value: string): number {
  const ms = parseRfc3339(value)
  if (ms === undefined) throw invalid(name, "must be an RFC 3339 time such as 2030-01-31T12:00:00Z")
  return ms
}

/** A string that is there and not too long. */
export function parseToken(name: string, value: string, bytesMax: number): string {
  if (value === "") throw invalid(name, "must not be empty")
  if (encoder.encode(value).length > bytesMax) throw invalid(name, `must not be longer than ${bytesMax} bytes`)
  return value
}

/** A header's value when it is `true`; any other value counts as absent. */
export function isTrue(value: string | null): boolean {
  return value !== null && value.trim().toLowerCase() === "true"
}

export function invalid(name: string, rule: string): RouseError {
  return new RouseError("BAD_REQUEST", `${name}: ${rule}`, { details: { field: name } })
}
