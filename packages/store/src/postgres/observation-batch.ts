import type { ObservationState } from "../core/observation-state.ts"
import type { Plan } from "../core/plan.ts"
import type { ApplyList } from "./apply-lists.ts"
import { Missing, observationKey } from "./facts.ts"
import type { Facts, ObservedPlace } from "./facts.ts"
import { treeOfObserved } from "./group-observations.ts"
import type { Layer } from "./layer.ts"
import type { WriteRow } from "./write-rows.ts"

interface Item {
  commit: number
  /** What it observes in the database; undefined: it is not there yet. */
  readonly origin: string | undefined
  state: ObservationState | undefined
  config: string | undefined
}

/** What a plan does to observations: of each, where it was before, and what it leaves. */
export interface ObservationChanges {
  readonly changes: readonly {
    readonly before: ObservedPlace | undefined
    readonly after: ObservationState | undefined
    readonly config: string | undefined
  }[]
  /** Entities of which all are gone. */
  readonly blind: ReadonlySet<string>
}

/**
 * To be asked before anything is taken over from a plan.
 *
 * @throws {Missing} nobody has looked what an entity that is dropped observes.
 */
export function observationChanges({ writes, view }: Plan, layer: Layer, facts: Facts): ObservationChanges {
  const named = view.touchedObservations?.named ?? new Map<string, ObservationState | undefined>()
  const configs = new Map<number, string>()
  const blind = new Set<string>()
  for (const write of writes) {
    if (write.kind !== "observation") continue
    const { write: of } = write
    if (of.kind === "insert" || of.kind === "update") configs.set(of.state.serial, of.config)
    if (of.kind === "dropOf") blind.add(of.url)
  }
  const beforeOf = (key: string): ObservationState | undefined =>
    layer.observations.has(key) ? layer.observations.get(key) : facts.observations.get(key)?.state
  const changes = [...named].map(([key, after]) => {
    return { before: beforeOf(key), after, config: after && configs.get(after.serial) }
  })
  const gone = [...blind]
    .flatMap((url) => observedBy(url, layer, facts))
    .filter(({ url, name }) => !named.has(observationKey(url, name)))
  return { changes: [...changes, ...gone.map((before) => ({ before, after: undefined, config: undefined }))], blind }
}

/** What an entity observes, as the group leaves it so far. */
function observedBy(url: string, layer: Layer, facts: Facts): ObservedPlace[] {
  const known = facts.observing.get(url)
  if (known === undefined) throw new Missing([{ kind: "observing", name: url }])
  const rest = layer.blind.has(url)
    ? []
    : known.filter(({ name }) => !layer.observations.has(observationKey(url, name)))
  return [...rest, ...[...layer.observations.values()].filter((state) => state?.url === url)].filter(
    (state) => state !== undefined,
  )
}

/** The writes of a group's commits to observations, reduced to what they leave. */
export class ObservationBatch {
  readonly #items = new Map<number, Item>()

  /** Also tells the layer. Returns the paths whose observers changed. */
  note(commit: number, plan: Plan, { changes, blind }: ObservationChanges, layer: Layer): ReadonlySet<string> {
    const paths = new Set<string>()
    for (const url of blind) layer.blind.add(url)
    for (const { before, after, config } of changes) {
      this.#change(commit, before, after, config)
      const of = after ?? before
      if (of !== undefined) layer.observations.set(observationKey(of.url, of.name), after)
      for (const path of [before?.path, after?.path]) if (path !== undefined) paths.add(path)
    }
    const lists = plan.view.touchedObservations?.paths ?? new Map<string, readonly ObservationState[]>()
    for (const path of paths) {
      const list = lists.get(path) ?? layer.observers.get(path)
      if (list === undefined) continue
      const isLeft = (state: ObservationState): boolean =>
        !blind.has(state.url) || layer.observations.get(observationKey(state.url, state.name)) === state
      layer.observers.set(path, list.filter(isLeft))
    }
    return paths
  }

  rows(): { readonly commit: number; readonly list: ApplyList; readonly row: WriteRow }[] {
    return [...this.#items].flatMap(([serial, { commit, origin, state, config }]) => {
      const drop =
        origin === undefined || origin === state?.path
          ? []
          : [{ commit, list: "w_observation_drop" as const, row: placeOf(origin, serial) }]
      if (state === undefined) return drop
      const list = config === undefined ? ("w_observation_mark" as const) : ("w_observation" as const)
      return [...drop, { commit, list, row: rowOf(state, config) }]
    })
  }

  #change(
    commit: number,
    before: ObservedPlace | undefined,
    after: ObservationState | undefined,
    config: string | undefined,
  ): void {
    if (before !== undefined && before.serial !== after?.serial) {
      const item = this.#items.get(before.serial)
      if (item !== undefined && item.origin === undefined) this.#items.delete(before.serial)
      else {
        const origin = item?.origin ?? before.path
        this.#items.set(before.serial, { commit, origin, state: undefined, config: undefined })
      }
    }
    if (after === undefined) return
    const item = this.#items.get(after.serial)
    if (item !== undefined) Object.assign(item, { commit, state: after, config: config ?? item.config })
    else {
      /** Only what is there can be marked. */
      const origin = before?.serial === after.serial ? before.path : config === undefined ? after.path : undefined
      this.#items.set(after.serial, { commit, origin, state: after, config })
    }
  }
}

function placeOf(path: string, serial: number): WriteRow {
  return { tree: treeOfObserved(path), path, serial }
}

function rowOf(state: ObservationState, config: string | undefined): WriteRow {
  const { serial, version, url, name, path, filter, debounceMs, cursor, pending, dueAtMs, timeoutAtMs } = state
  const mark = { ...placeOf(path, serial), cursor, pending, due_at: dueAtMs }
  if (config === undefined) return mark
  return {
    ...mark,
    version,
    url,
    name,
    filter: JSON.stringify(filter),
    debounce: debounceMs,
    timeout_at: timeoutAtMs,
    config,
  }
}
