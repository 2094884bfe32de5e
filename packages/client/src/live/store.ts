/** A value that tells when it changed: what a framework subscribes to. */
export interface Readable<T> {
  readonly get: () => T
  /** Tells from now on. Returns how to end it. */
  readonly subscribe: (listener: () => void) => () => void
}

export interface Store<T> extends Readable<T> {
  /** Replaces the value by what `change` makes of it; the same value tells nobody. */
  readonly update: (change: (value: T) => T) => void
}

/** Makes a store. Listeners run after the value is in place, in the order they came. */
export function createStore<T>(initial: T): Store<T> {
  let value = initial
  const listeners = new Set<() => void>()
  return {
    get: () => value,
    subscribe: (listener) => {
      // One listener may be there twice.
      const own = (): void => listener()
      listeners.add(own)
      return () => void listeners.delete(own)
    },
    update: (change) => {
      const next = change(value)
      if (Object.is(next, value)) return
      value = next
      for (const listener of [...listeners]) listener()
    },
  }
}
