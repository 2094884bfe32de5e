import { homeOfEntity, homeOfStream, numberOf } from "../core/home.ts"
import type { Home } from "../core/home.ts"
import type { ObservationState, ObservationView } from "../core/observation-state.ts"
import { observationKey } from "./facts.ts"
import type { Need } from "./facts.ts"
import type { Check, GroupSources } from "./group-view.ts"

/** What a part of a view has of the whole. */
export interface Looking {
  readonly sources: GroupSources
  readonly checks: Map<string, Check>
  readonly keys: Set<string>
  readonly homes: Set<Home>
  readonly found: <T>(look: () => T | undefined, need: Need) => T
  readonly newSerial: () => number
}

/** Where an observation lies: with what it observes, so that an append finds those that it concerns in one place. */
export function treeOfObserved(path: string): number {
  return numberOf(homeOfStream(path))
}

/**
 * Observations as one commit of a group sees them. That nobody observes a path is believed until the database says otherwise: the check behind
 * the locks costs less than the question.
 */
export class GroupObservations implements ObservationView {
  readonly #looking: Looking
  /** Who observes these paths was looked at, as the database has it. Whoever is to observe one waits for those who looked. */
  readonly seen: Map<string, Check> = new Map()

  constructor(looking: Looking) {
    this.#looking = looking
  }

  /** Nobody knows without looking. */
  get any(): boolean {
    return true
  }

  observation(url: string, name: string): ObservationState | undefined {
    const { sources, checks, keys, homes, found } = this.#looking
    const { layer, facts } = sources
    const key = observationKey(url, name)
    keys.add(`o ${key}`)
    homes.add(homeOfEntity(url))
    if (layer.observations.has(key)) return layer.observations.get(key)
    if (layer.blind.has(url)) {
      keys.add(`e ${url}`)
      return undefined
    }
    const { state, rev } = found(() => facts.observations.get(key), { kind: "observations", name: url, id: name })
    const where =
      state === undefined ? {} : { tree: treeOfObserved(state.path), path: state.path, serial: state.serial }
    checks.set(`o ${key}`, { list: "k_observation", row: { url, name, rev, ...where } })
    if (state !== undefined) homes.add(homeOfStream(state.path))
    return state
  }

  observers(path: string): readonly ObservationState[] {
    const { sources, keys, found } = this.#looking
    const { layer, facts } = sources
    const changed = layer.observers.get(path)
    if (changed !== undefined) {
      keys.add(`p ${path}`)
      return changed
    }
    const { states, count, rev } = found(() => facts.observers.get(path), { kind: "observers", name: path })
    this.seen.set(path, { list: "k_observer", row: { tree: treeOfObserved(path), path, n: count, rev } })
    const rest = layer.blind.size === 0 ? states : states.filter(({ url }) => !layer.blind.has(url))
    if (rest.length < states.length) keys.add(`p ${path}`)
    return rest
  }

  newSerial(): number {
    return this.#looking.newSerial()
  }
}
