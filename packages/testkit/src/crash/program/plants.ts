import type { Commit, CommitResult, Store } from "@rouse/store"

/** Mistakes that can be planted in the program, to see that the judge finds them. */
export const PLANTS = ["rerun-once", "early-ack", "forget-memos"] as const
export type Plant = (typeof PLANTS)[number]

/** The store with the mistake, if it is one of the store's. */
export function plantedStore(store: Store, plant: Plant | undefined): Store {
  if (plant === "early-ack") return withMember(store, "commit", earlyCommit(store))
  if (plant === "forget-memos") return withMember(store, "rows", forgetfulRows(store))
  return store
}

/** How long a planted early acknowledgement is ahead of the commit. */
const EARLY_MS = 25

/** Says that a message sent from outside is on disk before it is. */
function earlyCommit(store: Store): Store["commit"] {
  return (wanted: Commit): Promise<CommitResult> => {
    const isSend =
      wanted.ops.some(({ op }) => op === "putReceipt") && !wanted.ops.some(({ op }) => op === "createStream")
    if (!isSend) return store.commit(wanted)
    setTimeout(() => {
      store.commit(wanted).catch((error: unknown) => process.stderr.write(`the late commit failed: ${String(error)}\n`))
    }, EARLY_MS)
    return Promise.resolve({ applied: true, streams: {} })
  }
}

/** Hides what a wake remembers of its own sends and steps. */
function forgetfulRows(store: Store): Store["rows"] {
  return async (url, collection) => {
    const rows = await store.rows(url, collection)
    return rows.filter((row) => row.collection !== "memo")
  }
}

function withMember<K extends keyof Store>(store: Store, member: K, value: Store[K]): Store {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === member) return value
      const own: unknown = Reflect.get(target, name)
      return typeof own === "function" ? own.bind(target) : own
    },
  })
}
