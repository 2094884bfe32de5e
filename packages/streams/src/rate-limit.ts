import { RouseError } from "@rouse/protocol"
import type { Clock } from "./clock.ts"
import { takeToken } from "./core/token-bucket.ts"
import type { Bucket, BucketRule } from "./core/token-bucket.ts"

/** Keys whose buckets are remembered. Beyond that the one that was not used for longest is forgotten: it is full when it comes back. */
const KEYS_MAX = 10_000

export interface RateLimitOptions {
  readonly clock: Clock
  /** Requests a second that each key may make in the long run. */
  readonly perSecond: number
  /** Requests that it may make at once after a rest. Default: those of two seconds, and at least one. */
  readonly burst?: number
}

/**
 * Bounds how often each key may ask: for a `guard`, by the token or the tenant that asks.
 *
 * @returns What counts one request of a key. Throws `RATE_LIMITED` (429 with `Retry-After`) when it asks too often.
 * @throws {RouseError} `BAD_REQUEST` when a bound makes no sense.
 */
export function createRateLimit({ clock, perSecond, burst }: RateLimitOptions): (key: string) => void {
  const rule: BucketRule = { perSecond, burst: burst ?? Math.max(1, 2 * perSecond) }
  if (!(rule.perSecond > 0)) throw new RouseError("BAD_REQUEST", "perSecond: must be more than 0")
  if (!(rule.burst >= 1)) throw new RouseError("BAD_REQUEST", "burst: must be at least 1")
  const buckets = new Map<string, Bucket>()
  return (key) => {
    const [bucket, waitMs] = takeToken(buckets.get(key), rule, clock.now())
    buckets.delete(key)
    buckets.set(key, bucket)
    if (buckets.size > KEYS_MAX) buckets.delete(buckets.keys().next().value ?? "")
    if (waitMs === 0) return
    const retryAfterSeconds = Math.ceil(waitMs / 1_000)
    throw new RouseError("RATE_LIMITED", `more than ${perSecond} requests a second; wait ${retryAfterSeconds} s`, {
      details: { retryAfterSeconds },
    })
  }
}
