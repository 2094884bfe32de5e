import { RouseError } from "@rouse/protocol"

/** Where a page of entities ended: the whole second of its last one's activity, and its address. */
export interface Cursor {
  readonly activeSecond: number
  readonly url: string
}

const CURSOR = /^(-?[0-9a-z]{1,11})(\/.+)$/

/** Lists are sorted by whole seconds of activity, so that an entity at work does not move its index entry at every commit. */
export function activeSecondOf(activeAtMs: number): number {
  return Math.floor(activeAtMs / 1_000)
}

export function encodeCursor(cursor: Cursor): string {
  return cursor.activeSecond.toString(36) + cursor.url
}

/** @throws {RouseError} `BAD_REQUEST` naming `after`, when it is not the `next` of a page. */
export function parseCursor(after: string): Cursor {
  const match = CURSOR.exec(after)
  const activeSecond = Number.parseInt(match?.[1] ?? "", 36)
  if (match?.[2] === undefined || !Number.isSafeInteger(activeSecond)) {
    throw new RouseError("BAD_REQUEST", "after: not the next of a page", { details: { field: "after" } })
  }
  return { activeSecond, url: match[2] }
}
