import { entityOfStream } from "@rouse/protocol"

/**
 * Where things live in the distributed engine. A pure function of names, the same in every replica and every version.
 *
 * - The *home* of an entity's record, rows, timers and log is its address; a stream that is no entity's log is its own home.
 * - The *tree* of a home is a number that all tables are distributed by. An entity that was spawned by another has its parent's tree, so that what
 *   a tree of agents does to one another stays in one place; `place` remembers it. Every other home is a tree of its own.
 * - The *lock* of a home is a number that commits exclude one another by.
 *
 * Two names that share a number share a place or wait for each other, and nothing worse.
 */
export type Home = string

/** Numbers stay below 2^52: exact in JSON and in every client. */
const HIGH_BITS = 0xf_ffff
const HIGH_UNIT = 0x1_0000_0000

export function homeOfStream(path: string): Home {
  return entityOfStream(path) ?? `s:${path}`
}

export function homeOfEntity(url: string): Home {
  return url
}

export function homeOfReceipt(key: string): Home {
  return `r:${key}`
}

export function homeOfSubscription(id: string): Home {
  return `u:${id}`
}

export function homeOfSecret(name: string): Home {
  return `x:${name}`
}

/** Only what is an entity's can live in a tree of another name. */
export function mayBePlaced(home: Home): boolean {
  return home.startsWith("/")
}

/**
 * A number for a name, from 0 to 2^52 - 1. It is in the tables of the field: it never changes.
 */
export function numberOf(name: string): number {
  let low = 0x2545_f491
  let high = 0x9e37_79b9
  for (let at = 0; at < name.length; at += 1) {
    const unit = name.charCodeAt(at)
    low = Math.imul(low ^ unit, 0x85eb_ca6b)
    high = Math.imul(high ^ unit, 0xc2b2_ae35)
  }
  low = mix(low ^ (high >>> 15))
  high = mix(high ^ (low >>> 13))
  return (high & HIGH_BITS) * HIGH_UNIT + (low >>> 0)
}

function mix(value: number): number {
  const once = Math.imul(value ^ (value >>> 16), 0x7feb_352d)
  const twice = Math.imul(once ^ (once >>> 15), 0x846c_a68b)
  return twice ^ (twice >>> 16)
}
