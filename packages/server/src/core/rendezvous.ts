/** How long each of those who come before has to take what is due, before the next one does. */
export const TURN_MS = 50

/** One of those who share work. */
export interface Sharer {
  readonly id: string
  /** Its part is in proportion; 0: it gets none. */
  readonly capacity: number
}

/**
 * How many come before `own` when this key's work is handed out: 0 is who does it. Everybody who knows the same sharers gives the same answer, each is
 * first in proportion to its capacity, and one that comes or goes moves only its own part (rendezvous hashing). Whoever is not among the sharers is last.
 */
export function rankOf(key: string, own: string, sharers: readonly Sharer[]): number {
  const self = sharers.find(({ id }) => id === own)
  if (self === undefined || self.capacity <= 0) return sharers.length
  const mine = scoreOf(key, self)
  return sharers.filter((other) => other !== self && isBefore(scoreOf(key, other), other.id, mine, own)).length
}

function isBefore(score: number, id: string, mine: number, own: string): boolean {
  return score > mine || (score === mine && id < own)
}

function scoreOf(key: string, { id, capacity }: Sharer): number {
  if (capacity <= 0) return Number.NEGATIVE_INFINITY
  const unit = (hashOf(`${id} ${key}`) + 0.5) / 2 ** 32
  return capacity / -Math.log(unit)
}

/** FNV-1a, and a finish that spreads what differs in the last letters. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
