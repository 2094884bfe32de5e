import type { Home } from "../core/home.ts"

/** Commits in one transaction. Each takes a few of the database's locks, of which there are 64 for each connection by default. */
const GROUP_COMMITS_MAX = 64
/** Bytes in one transaction, but for a single commit that is larger. */
const GROUP_BYTES_MAX = 4 * 1_024 * 1_024

/** Commits that must wait for another lane to be opened, by how many are open: few large groups cost the database less than many small ones. */
const OPENED_AT: readonly number[] = [1, 32, GROUP_COMMITS_MAX]

/** A commit that waits to be done. */
export interface Groupable {
  readonly bytes: number
  readonly homes: ReadonlySet<Home>
}

/** Whether another group is begun. Pure. @param open Lanes that have a group. */
export function opensLane(waiting: number, open: number): boolean {
  return waiting >= (OPENED_AT[open] ?? GROUP_COMMITS_MAX)
}

/**
 * The next group of those that wait, and who is left, both in order: nobody with a home that is `busy`, nor one that overtakes another
 * with a home in common. Pure.
 */
export function takeGroup<T extends Groupable>(
  waiting: readonly T[],
  busy: ReadonlySet<Home>,
): { readonly group: readonly T[]; readonly kept: T[] } {
  const group: T[] = []
  const kept: T[] = []
  /** Of those that must wait: who comes after them waits too. */
  const held = new Set<Home>()
  let bytes = 0
  for (const job of waiting) {
    const isFull = group.length === GROUP_COMMITS_MAX || (group.length > 0 && bytes + job.bytes > GROUP_BYTES_MAX)
    if (isFull || overlaps(job.homes, busy) || overlaps(job.homes, held)) {
      for (const home of job.homes) held.add(home)
      kept.push(job)
      continue
    }
    bytes += job.bytes
    group.push(job)
  }
  return { group, kept }
}

function overlaps(homes: ReadonlySet<Home>, others: ReadonlySet<Home>): boolean {
  for (const home of homes) if (others.has(home)) return true
  return false
}
