import type { SpaceRowState, SpaceState, SpaceView } from "../core/space-state.ts"
import { askedKey, Deferred, Missing } from "./facts.ts"
import type { ClaimableFact, Facts, Need } from "./facts.ts"
import type { GroupSources } from "./group-view.ts"
import type { RowChange } from "./layer.ts"

/** What this needs of the whole view. */
export interface SpaceLooking {
  readonly sources: GroupSources
  /** Undefined when the stream begins in this commit. */
  pathOf(stream: number): string | undefined
  found<T>(look: () => T | undefined, need: Need): T
}

/**
 * Spaces as one commit of a group sees them: what the database has, with what the commits before it in the group do laid over it.
 *
 * What the database has needs no check of its own: a row changes only together with the space's log, whose tail is checked.
 */
export class GroupSpaces implements SpaceView {
  readonly #looking: SpaceLooking

  constructor(looking: SpaceLooking) {
    this.#looking = looking
  }

  space(stream: number): SpaceState | undefined {
    const { layer } = this.#looking.sources
    if (layer.spaces.has(stream)) return layer.spaces.get(stream)
    const name = this.#pathOf(stream)
    if (name === undefined) return undefined
    const state = this.#looking.found(() => this.#facts.spaces.get(name), { kind: "spaces", name })
    return state?.stream === stream ? state : undefined
  }

  row(stream: number, collection: string, key: string): SpaceRowState | undefined {
    const change = this.#changes(stream)?.get(rowKey(collection, key))
    if (change !== undefined) return change.after?.row
    const name = this.#pathOf(stream)
    if (name === undefined) return undefined
    const id = JSON.stringify([collection, key])
    return this.#look(this.#facts.spaceRows, { kind: "spaceRows", name, id }) ?? undefined
  }

  hasRows(stream: number, collection: string): boolean {
    const name = this.#pathOf(stream)
    if (this.#changes(stream) !== undefined) throw new Deferred()
    const id = JSON.stringify([collection])
    return name !== undefined && this.#look(this.#facts.occupied, { kind: "occupied", name, id })
  }

  claimable(stream: number, collection: string, queue: string, nowMs: number, limit: number): readonly SpaceRowState[] {
    const changes = this.#changes(stream)
    const fact = this.#firstOf(this.#pathOf(stream), [collection, queue, nowMs], limit + (changes?.size ?? 0))
    const isKnown = ({ key }: SpaceRowState): boolean => changes?.has(rowKey(collection, key)) === true
    const changed = [...(changes?.values() ?? [])].flatMap(({ after }) => {
      return after !== undefined && after.row.collection === collection && after.queues.includes(queue) ? after.row : []
    })
    const expired = [...fact.expired.filter((row) => !isKnown(row)), ...changed.filter((row) => isOver(row, nowMs))]
    const free = [...fact.free.filter((row) => !isKnown(row)), ...changed.filter((row) => row.freeAtMs === 0)]
    expired.sort((a, b) => a.freeAtMs - b.freeAtMs || a.made - b.made)
    free.sort((a, b) => a.made - b.made)
    return [...expired, ...free].slice(0, limit)
  }

  held(stream: number, holder: string, claim: string): readonly SpaceRowState[] {
    const name = this.#pathOf(stream)
    const id = JSON.stringify([holder, claim])
    const known = name === undefined ? [] : this.#look(this.#facts.held, { kind: "held", name, id })
    const changes = this.#changes(stream)
    if (changes === undefined) return known
    const isHeld = (row: SpaceRowState | undefined): row is SpaceRowState =>
      row?.holder === holder && row.claim === claim
    const rest = known.filter(({ collection, key }) => !changes.has(rowKey(collection, key)))
    const changed = [...changes.values()].map(({ after }) => after?.row).filter(isHeld)
    return [...rest, ...changed].sort((a, b) => a.token - b.token)
  }

  heldCount(stream: number, holder: string, nowMs: number): number {
    const name = this.#pathOf(stream)
    const id = JSON.stringify([holder, nowMs])
    const known = name === undefined ? 0 : this.#look(this.#facts.heldCounts, { kind: "heldCounts", name, id })
    const isHeld = (row: SpaceRowState | undefined): boolean => row?.holder === holder && row.freeAtMs > nowMs
    const changes = [...(this.#changes(stream)?.values() ?? [])]
    const sum = changes.map(({ before, after }) => Number(isHeld(after?.row)) - Number(isHeld(before)))
    return sum.reduce((count, change) => count + change, known)
  }

  /** So many of each kind, that none is missing where the group took some. */
  #firstOf(name: string | undefined, asked: readonly (string | number)[], limit: number): ClaimableFact {
    if (name === undefined) return { expired: [], free: [], asked: limit }
    const id = JSON.stringify(asked)
    const fact = this.#look(this.#facts.claimable, { kind: "claimable", name, id, limit })
    const isWhole = fact.expired.length < fact.asked && fact.free.length < fact.asked
    if (isWhole || fact.asked >= limit) return fact
    this.#facts.claimable.delete(askedKey(name, id))
    throw new Missing([{ kind: "claimable", name, id, limit: limit * 2 }])
  }

  #look<T>(known: ReadonlyMap<string, T>, need: Need & { readonly id: string }): T {
    return this.#looking.found(() => known.get(askedKey(need.name, need.id)), need)
  }

  get #facts(): Facts {
    return this.#looking.sources.facts
  }

  #changes(stream: number): ReadonlyMap<string, RowChange> | undefined {
    return this.#looking.sources.layer.spaceRows.get(stream)
  }

  /** Undefined for a stream that the database does not know. */
  #pathOf(stream: number): string | undefined {
    const path = this.#looking.pathOf(stream)
    return path === undefined || this.#looking.sources.layer.isNew(path) ? undefined : path
  }
}

export function rowKey(collection: string, key: string): string {
  return `${collection}\n${key}`
}

function isOver({ freeAtMs }: SpaceRowState, nowMs: number): boolean {
  return freeAtMs > 0 && freeAtMs <= nowMs
}
