import { backoffMs } from "@rouse/protocol"

/** How long to wait before a request is tried again. */

/** The wait before the second attempt; it doubles from one to the next. */
const BACKOFF_MS_MIN = 200
const BACKOFF_MS_MAX = 10_000
/** A server that asks for more patience than this gets none: the error is the caller's. */
export const RETRY_AFTER_MS_MAX = 30_000
/** How often one request is sent at most, unless the client is told otherwise. */
export const ATTEMPTS_MAX = 6
/** How often a live read reconnects in vain before it gives up: about ten minutes. */
export const RECONNECTS_MAX = 64

/** The wait before the next attempt. @param attempt The one that failed, from 1. @param random At least 0, below 1. */
export function retryDelayMs(attempt: number, random: number): number {
  return backoffMs(attempt, BACKOFF_MS_MIN, BACKOFF_MS_MAX, random)
}

/** What a `Retry-After` asks for: seconds or a date (RFC 9110 §10.2.3); 0 when it is absent or says neither. */
export function retryAfterMs(header: string | null, nowMs: number): number {
  if (header === null) return 0
  const seconds = Number(header)
  if (header.trim() !== "" && Number.isFinite(seconds)) return Math.max(0, seconds * 1_000)
  const at = Date.parse(header)
  return Number.isNaN(at) ? 0 : Math.max(0, at - nowMs)
}
