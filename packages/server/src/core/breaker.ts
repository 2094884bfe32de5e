import type { Cause, EntityUrl } from "@rouse/protocol"

/** Agents of a chain that are kept with a message: enough to see a loop. */
const CHAIN_MAX = 8
const MINUTE_MS = 60_000

/** Wakes that began since a time. */
export interface Rate {
  readonly fromMs: number
  readonly count: number
}

/** The cause of what an agent sends, from that of what it works on. */
export function nextCause(cause: Cause | null | undefined, sender: EntityUrl): Cause {
  return { hops: (cause?.hops ?? 0) + 1, chain: [...(cause?.chain ?? []), sender].slice(-CHAIN_MAX) }
}

/** An answer goes back up the chain: it is no link more of it. */
export function returnedCause(cause: Cause | null | undefined): Cause | undefined {
  if (!cause || cause.hops <= 1) return undefined
  return { hops: cause.hops - 1, chain: cause.chain.slice(0, -1) }
}

/** The longer of two chains. */
export function longerCause(a: Cause | null | undefined, b: Cause | null | undefined): Cause | null {
  if (!a || !b) return a ?? b ?? null
  return b.hops > a.hops ? b : a
}

/** One more wake, counted by the minute. */
export function countWake(rate: Rate | null | undefined, nowMs: number): Rate {
  if (!rate || nowMs - rate.fromMs >= MINUTE_MS || nowMs < rate.fromMs) return { fromMs: nowMs, count: 1 }
  return { fromMs: rate.fromMs, count: rate.count + 1 }
}

export function chainText(chain: readonly EntityUrl[], last: EntityUrl): string {
  return [...chain, last].join(" → ")
}
