import { RouseError } from "@rouse/protocol"
import type { EntityUrl } from "@rouse/protocol"
import { type Clock, trimStream } from "@rouse/streams"
import type { Plane } from "../plane.ts"

/** Rows that one commit takes away. */
const ROWS_MAX = 500
/** Spaces whose logs one sweep trims. */
const SPACES_MAX = 10

/**
 * Takes the rows that an agent inserted out of all shared spaces, whoever has claimed them, in commits of a bounded size. The logs of those
 * spaces are marked in the same commits, and trimmed by the next sweep: see `forgetRows`. The agent must be stopped: it would insert others.
 */
export async function disownRows({ store, clock }: Pick<Plane, "store" | "clock">, owner: EntityUrl): Promise<void> {
  for (let found = await store.ownedRows(owner, ROWS_MAX); found; found = await store.ownedRows(owner, ROWS_MAX)) {
    const { path, rows } = found
    try {
      const change = { kind: "disown", owner, rows } as const
      await store.commit({ ops: [{ op: "space", path, change, nowMs: clock() }] })
    } catch (error) {
      // It was removed meanwhile, with its rows.
      if (!RouseError.is(error, "NOT_FOUND")) throw error
    }
  }
}

/**
 * Trims the logs of spaces up to behind what they said of rows that went with their owners: what is live takes its place. A log that a
 * subscription or an observation has yet to read is trimmed when it was read.
 *
 * @returns How many logs became shorter.
 */
export async function forgetRows({ store, clock, defer }: Pick<Plane, "store" | "clock" | "defer">): Promise<number> {
  const time: Clock = { now: clock, after: defer }
  let trims = 0
  for (const { path, until } of await store.forgetfulSpaces(SPACES_MAX)) {
    try {
      const to = await trimStream({ store, clock: time, path, keep: {}, bytesMin: 1, must: true })
      if (to !== undefined) trims += 1
      const kept = (await store.stream(path))?.horizon
      if (kept === undefined || kept < until) continue
      await store.commit({ ops: [{ op: "space", path, change: { kind: "forgotten", until: kept }, nowMs: clock() }] })
    } catch (error) {
      if (!RouseError.is(error, "UNKNOWN_STREAM", "NOT_FOUND", "CONFLICT")) throw error
    }
  }
  return trims
}
