import type { Item, Timeline } from "@rouse/client"

/** Two timelines that began as one. */
export interface Compared {
  /** Items that are in both, as they were when the two parted. */
  readonly same: readonly Item[]
  readonly left: readonly Item[]
  readonly right: readonly Item[]
}

/** Where two timelines part: at the first item that is not in both. What differs in an item that is, its fork may have changed when it began. */
export function compareTimelines(left: Timeline, right: Timeline): Compared {
  const of = (item: Item | undefined): string | undefined => item && `${item.kind} ${item.key}`
  const end = left.items.findIndex(
    (item, index) => of(item) !== of(right.items[index]) || textOf(item) !== textOf(right.items[index]!),
  )
  const parted = end < 0 ? left.items.length : end
  return { same: left.items.slice(0, parted), left: left.items.slice(parted), right: right.items.slice(parted) }
}

/** What an item says, as far as it can differ between the two. */
function textOf(item: Item): string {
  if (item.kind === "step") {
    return JSON.stringify(
      item.parts.map((part) => (part.kind === "tool" ? [part.row.name, part.row.input] : part.text)),
    )
  }
  return item.kind === "message" ? JSON.stringify(item.row.content) : ""
}
