/** Cursors count intervals from 9 October 2024, midnight UTC. Durable Streams Protocol §8.1. */
const EPOCH_MS = 1_728_432_000_000
const INTERVAL_SECONDS = 20
const JITTER_SECONDS_MAX = 3600

/** A cursor of more digits is not one of ours. */
const CURSOR = /^[0-9]{1,15}$/

/** A client's cursor as a number; undefined when there is none or it is not one. */
export function parseCursor(value: string | null): number | undefined {
  return value !== null && CURSOR.test(value) ? Number(value) : undefined
}

/**
 * The cursor of a response: the number of the current interval, or, when the client is already there or ahead, a random step beyond
 * the client's, so that no cache answers with the same page for ever.
 *
 * @param random A number from 0 to below 1.
 * @see Durable Streams Protocol §8.1
 */
export function nextCursor(client: number | undefined, nowMs: number, random: number): number {
  const current = Math.max(0, Math.floor((nowMs - EPOCH_MS) / (INTERVAL_SECONDS * 1000)))
  if (client === undefined || client < current) return current
  const jitterSeconds = 1 + Math.floor(random * JITTER_SECONDS_MAX)
  return client + Math.max(1, Math.ceil(jitterSeconds / INTERVAL_SECONDS))
}
