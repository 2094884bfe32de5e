import type { Item, StepItem } from "./items.ts"
import type { Timeline } from "./timeline.ts"

/**
 * A timeline being changed: fields are replaced, the list of items is copied once, at its first change.
 *
 * `places` remembers about where each item stands, so that finding one does not search the list. All timelines that grew from one
 * another share it: it is a hint that is checked against the list, never trusted, except that an id it lacks is in none of them.
 */
export interface Draft extends Mutable<Omit<Timeline, "items">> {
  items: Item[]
  owned: boolean
  readonly places: Map<string, number>
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const placesOf = new WeakMap<readonly Item[], Map<string, number>>()

export function openDraft(timeline: Timeline): Draft {
  const places = placesOf.get(timeline.items) ?? new Map(timeline.items.map((item, index) => [item.id, index]))
  return { ...timeline, items: timeline.items as Item[], owned: false, places }
}

/** The timeline that the draft describes: `base` itself when nothing changed. */
export function closeDraft(base: Timeline, draft: Draft): Timeline {
  const { owned: _, places, ...next } = draft
  placesOf.set(next.items, places)
  const fields = Object.keys(next) as (keyof Timeline)[]
  const same = fields.every((field) => next[field] === base[field])
  return same ? base : next
}

/** Where the item with this id stands, or -1. Searches outwards from where it was last seen. */
export function placeOf(draft: Draft, id: string): number {
  const hint = draft.places.get(id)
  if (hint === undefined) return -1
  const reach = Math.max(hint, draft.items.length - hint)
  for (let distance = 0; distance <= reach; distance++) {
    for (const place of [hint - distance, hint + distance]) {
      if (draft.items[place]?.id !== id) continue
      if (distance > 0) draft.places.set(id, place)
      return place
    }
  }
  return -1
}

/** The item of this kind and id, if there is one. */
export function findItem<K extends Item["kind"]>(
  draft: Draft,
  kind: K,
  id: string,
): Extract<Item, { kind: K }> | undefined {
  const item = draft.items[placeOf(draft, id)]
  return item?.kind === kind ? (item as Extract<Item, { kind: K }>) : undefined
}

/** Replaces the item of the same id, or adds it at `place`: the end, unless told. */
export function putItem(draft: Draft, item: Item, place: number = draft.items.length): void {
  const known = placeOf(draft, item.id)
  if (known >= 0) ownItems(draft)[known] = item
  else insertItem(draft, item, place)
}

export function insertItem(draft: Draft, item: Item, place: number): void {
  ownItems(draft).splice(place, 0, item)
  draft.places.set(item.id, place)
}

/** Removes the item at `place` and returns it. */
export function takeItem(draft: Draft, place: number): Item {
  const [item] = ownItems(draft).splice(place, 1)
  if (!item) throw new RangeError(`no item at ${place}`)
  return item
}

/** The newest step that passes `test`. Steps of interest are near the end. */
export function lastStep(timeline: Pick<Timeline, "items">, test: (step: StepItem) => boolean): StepItem | undefined {
  return timeline.items.findLast((item): item is StepItem => item.kind === "step" && test(item))
}

/** The steps since the end of the last run, or of the run before `run`, newest first. */
export function openSteps(draft: Draft, run?: string): readonly StepItem[] {
  const end = draft.items.findLastIndex((item) => item.kind === "runEnd" && item.run !== run)
  const steps = draft.items.slice(end + 1).filter((item): item is StepItem => item.kind === "step")
  return steps.filter((step) => run === undefined || step.run === run).reverse()
}

function ownItems(draft: Draft): Item[] {
  if (!draft.owned) draft.items = draft.items.slice()
  draft.owned = true
  return draft.items
}
