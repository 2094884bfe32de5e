import type { ObservationState, ObservationView } from "./observation-state.ts"

/** Observations with the effects of a commit's earlier operations laid over them. */
export class ObservationOverlay implements ObservationView {
  readonly #base: ObservationView
  /** As they are now, of the paths that were looked at and changed. */
  readonly paths: Map<string, readonly ObservationState[]> = new Map()
  /** As they are now, of those that changed, by observer and name. */
  readonly named: Map<string, ObservationState | undefined> = new Map()
  readonly #gone = new Set<string>()
  /** Whether an entity went with all of its own: then more paths are concerned than those in `paths`. */
  changed = false

  constructor(base: ObservationView) {
    this.#base = base
  }

  get any(): boolean {
    return this.paths.size > 0 || this.#base.any
  }

  observation(url: string, name: string): ObservationState | undefined {
    const key = `${url} ${name}`
    if (this.named.has(key)) return this.named.get(key)
    return this.#gone.has(url) ? undefined : this.#base.observation(url, name)
  }

  observers(path: string): readonly ObservationState[] {
    const known = this.paths.get(path) ?? this.#base.observers(path)
    return this.#gone.size === 0 ? known : known.filter((one) => !this.#gone.has(one.url))
  }

  /** The states that the commit leaves, of those it changed. */
  get changes(): Iterable<ObservationState | undefined> {
    return this.named.values()
  }

  set(before: ObservationState | undefined, state: ObservationState): void {
    if (before !== undefined && before.path !== state.path) this.#remove(before)
    const others = this.observers(state.path)
    const at = others.findIndex((one) => one.serial === state.serial)
    this.paths.set(state.path, at < 0 ? [...others, state] : others.with(at, state))
    this.named.set(`${state.url} ${state.name}`, state)
  }

  /** Replaces all observations of a path; the changed ones are told. */
  mark(path: string, states: readonly ObservationState[], marked: readonly ObservationState[]): void {
    this.paths.set(path, states)
    for (const state of marked) this.named.set(`${state.url} ${state.name}`, state)
  }

  drop(state: ObservationState): void {
    this.#remove(state)
    this.named.set(`${state.url} ${state.name}`, undefined)
  }

  dropOf(url: string): void {
    this.#gone.add(url)
    this.changed = true
    for (const key of this.named.keys()) if (key.startsWith(`${url} `)) this.named.delete(key)
  }

  newSerial(): number {
    return this.#base.newSerial()
  }

  #remove(state: ObservationState): void {
    const others = this.observers(state.path).filter((one) => one.serial !== state.serial)
    this.paths.set(state.path, others)
  }
}
