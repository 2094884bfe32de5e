const AGE_SECONDS_MAX = 60
const STALE_SECONDS_MAX = 300

export interface Cacheable {
  /** Whether the response ends at the tail. */
  readonly upToDate: boolean
  readonly closed: boolean
  readonly ttlSeconds?: number
  readonly expiresAtMs?: number
}

/**
 * How long a read with data may be kept. A chunk before the tail never changes; one that ends at the tail of an open stream grows, so a
 * cache must ask again (its entity tag makes that cheap). Always `private`: whoever may read is decided in front of us.
 *
 * @see Durable Streams Protocol §8.1
 */
export function cacheControl(read: Cacheable, nowMs: number): string {
  if (read.upToDate && !read.closed) return "private, no-cache"
  const seconds = Math.min(AGE_SECONDS_MAX, secondsLeft(read, nowMs))
  if (seconds < AGE_SECONDS_MAX) return `private, max-age=${seconds}`
  return `private, max-age=${seconds}, stale-while-revalidate=${STALE_SECONDS_MAX}`
}

function secondsLeft(read: Cacheable, nowMs: number): number {
  const untilExpiry = read.expiresAtMs === undefined ? Infinity : Math.floor((read.expiresAtMs - nowMs) / 1000)
  return Math.max(0, Math.min(read.ttlSeconds ?? Infinity, untilExpiry))
}
