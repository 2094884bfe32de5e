/** A key is published so long before it signs: everyone who keeps the set for its time in caches has seen it. */
export const KEY_LEAD_MS = 600_000
/** A key stays published so long after its successor signs: what it signed can still be checked. */
export const KEY_OVERLAP_MS = 86_400_000
/** How long a key signs before the next is made. */
export const KEY_ROTATION_MS = 2_592_000_000
/** How long a cache may keep the set, in seconds. */
export const KEY_SET_AGE_SECONDS = 300

export interface KeySchedule<K> {
  readonly sign: K | undefined
  readonly publish: readonly K[]
  readonly drop: readonly K[]
  readonly create: boolean
}

/**
 * Which key signs now, which are published, which can go, and whether a new one is needed.
 *
 * A clock that jumps leaves a key that signs: the newest that has been published long enough, else the oldest.
 */
export function scheduleKeys<K extends { readonly createdAtMs: number }>(
  keys: readonly K[],
  nowMs: number,
  rotationMs: number,
): KeySchedule<K> {
  const sorted = keys.toSorted((a, b) => a.createdAtMs - b.createdAtMs)
  const newest = sorted.at(-1)
  const sign = sorted.findLast((key) => key.createdAtMs + KEY_LEAD_MS <= nowMs) ?? sorted[0]
  const isOld = (index: number): boolean => {
    const successor = sorted[index + 1]
    return successor !== undefined && successor.createdAtMs + KEY_LEAD_MS + KEY_OVERLAP_MS <= nowMs
  }
  return {
    sign,
    publish: sorted.filter((_, index) => !isOld(index)),
    drop: sorted.filter((_, index) => isOld(index)),
    create: newest === undefined || newest.createdAtMs + rotationMs <= nowMs,
  }
}
