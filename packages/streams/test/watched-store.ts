import type { Store } from "@rouse/store"

/** A store that says what is asked of it. */
export interface Watched {
  readonly store: Store
  /** Reads of data so far. */
  readonly reads: number
  /** Listeners that are subscribed now. */
  readonly watchers: number
}

export function watch(store: Store): Watched {
  let reads = 0
  let watchers = 0
  const overrides: Partial<Store> = {
    read(...args) {
      reads++
      return store.read(...args)
    },
    watchStream(...args) {
      watchers++
      const unwatch = store.watchStream(...args)
      return () => {
        watchers--
        unwatch()
      }
    },
  }
  const proxy = new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(overrides, name) ?? Reflect.get(target, name, target)
      return typeof member === "function" ? member.bind(target) : member
    },
  })
  return {
    store: proxy,
    get reads() {
      return reads
    },
    get watchers() {
      return watchers
    },
  }
}
