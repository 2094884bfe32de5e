import type { Timeline } from "@rouse/client"
import { budgetBlocks, itemBlocks } from "./item-blocks.ts"
import type { Block, View } from "./view.ts"

/**
 * A timeline in a terminal that scrolls: what can change no more is printed for good, in order; the rest is drawn again below it.
 *
 * 1. What was printed is never printed again, except text that a new attempt wrote otherwise.
 * 2. Nothing is printed for good before what stands above it.
 */
export interface Scrolled {
  /** Items that are printed whole, and the blocks that are of the others: by key, what they said. */
  readonly printed: ReadonlyMap<string, string>
  /** The last block that was printed stands close to what follows it. */
  readonly tight: boolean
}

export interface Drawing {
  readonly scrolled: Scrolled
  /** Lines to print for good. */
  readonly out: readonly string[]
  /** Lines to draw below them. */
  readonly live: readonly string[]
}

export const NOTHING_SCROLLED: Scrolled = { printed: new Map(), tight: false }

const WHOLE = "\u0000whole"

/** The timeline as it is to be shown now. */
export function scroll({ printed, tight }: Scrolled, timeline: Timeline, view: View): Drawing {
  const next = new Map(printed)
  const out: string[] = []
  const live: string[] = []
  let near = tight
  let nearest = tight
  let isLive = false
  for (const item of timeline.items) {
    if (next.get(item.id) === WHOLE) continue
    const blocks = itemBlocks(item, view)
    for (const block of blocks) {
      if (next.get(block.key) === said(block)) continue
      isLive ||= !block.settled
      const rewritten = next.has(block.key) ? [view.color.dim(`${view.glyphs.note} written again`)] : []
      const lines = near && block.tight === true ? block.lines : ["", ...rewritten, ...block.lines]
      near = block.tight === true
      if (isLive) live.push(...lines)
      else {
        out.push(...lines)
        nearest = near
        next.set(block.key, said(block))
      }
    }
    if (!isLive && isOver(item)) close(next, item.id, blocks)
  }
  for (const block of budgetBlocks(timeline, view)) live.push("", ...block.lines)
  return { scrolled: { printed: next, tight: nearest }, out, live }
}

/** The newest `last` items are to be printed, and those before them not. @returns How many were left out. */
export function skipped(timeline: Timeline, last: number): readonly [Scrolled, number] {
  const count = Math.max(0, timeline.items.length - last)
  const printed = new Map(timeline.items.slice(0, count).map((item) => [item.id, WHOLE]))
  return [{ printed, tight: false }, count]
}

function said({ source, key }: Block): string {
  return source ?? key
}

/** An item that brings no more blocks. */
function isOver(item: Timeline["items"][number]): boolean {
  if (item.kind === "step") return item.status !== "running"
  return item.kind !== "message" || item.row.status !== "accepted"
}

/** The blocks of an item that is whole need not be remembered. */
function close(printed: Map<string, string>, id: string, blocks: readonly Block[]): void {
  for (const { key } of blocks) printed.delete(key)
  printed.set(id, WHOLE)
}
