import type { ObservationOverlay } from "./observation-overlay.ts"
import type { ObservationState, ObservationView } from "./observation-state.ts"

/** Paths whose observations are kept. When there are as many, all are forgotten and it begins anew. */
const PATHS_MAX = 8_192
/** Observations kept, of all paths together. */
const STATES_MAX = 65_536

/** Where observations are found when they are not at hand. */
export interface ObservationSource {
  /** Whether there is any. */
  any(): boolean
  observation(url: string, name: string): ObservationState | undefined
  observers(path: string): readonly ObservationState[]
  newSerial(): number
}

/**
 * Who observes which stream, in the writer's memory: an append to a stream of nobody costs one lookup, and none at all when there is no
 * observation. It holds what lately mattered, never all.
 *
 * 1. Kept up to date by every commit of this writer.
 * 2. Whoever undoes or bypasses a commit must `forget`.
 */
export class ObserverIndex implements ObservationView {
  readonly #source: ObservationSource
  readonly #paths = new Map<string, readonly ObservationState[]>()
  #states = 0
  #any: boolean | undefined

  constructor(source: ObservationSource) {
    this.#source = source
  }

  get any(): boolean {
    return (this.#any ??= this.#source.any())
  }

  observation(url: string, name: string): ObservationState | undefined {
    return this.#source.observation(url, name)
  }

  observers(path: string): readonly ObservationState[] {
    const known = this.#paths.get(path)
    if (known !== undefined) return known
    const states = this.#source.observers(path)
    this.#put(path, states)
    return states
  }

  newSerial(): number {
    return this.#source.newSerial()
  }

  /** Takes over what a commit changed, once its writes are done. */
  keep(changes: ObservationOverlay): void {
    if (changes.changed) return this.forget()
    for (const [path, states] of changes.paths) this.#put(path, states)
    if (changes.paths.size > 0) this.#any = undefined
  }

  forget(): void {
    this.#paths.clear()
    this.#states = 0
    this.#any = undefined
  }

  #put(path: string, states: readonly ObservationState[]): void {
    if (this.#paths.size >= PATHS_MAX || this.#states > STATES_MAX) this.forget()
    this.#states += states.length - (this.#paths.get(path)?.length ?? 0)
    this.#paths.set(path, states)
  }
}
