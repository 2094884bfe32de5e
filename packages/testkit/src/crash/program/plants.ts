import type { Commit, CommitResult, Store } from "@rouse/store"

/** Mistakes that can be planted in the program, to see that the judge finds them. */
export const PLANTS = ["rerun-once", "early-ack"] as const
export type Plant = (typeof PLANTS)[number]

/** How long a planted early acknowledgement is ahead of the commit. */
const EARLY_MS = 25

/** A store that says that a message is on disk before it is. */
export function earlyStore(store: Store): Store {
  const commit = (wanted: Commit): Promise<CommitResult> => {
    if (!wanted.ops.some((op) => op.op === "putReceipt")) return store.commit(wanted)
    setTimeout(() => {
      store.commit(wanted).catch((error: unknown) => process.stderr.write(`the late commit failed: ${String(error)}\n`))
    }, EARLY_MS)
    return Promise.resolve({ applied: true, streams: {} })
  }
  return new Proxy(store, {
    get: (target, name) => {
      if (name === "commit") return commit
      const value: unknown = Reflect.get(target, name)
      return typeof value === "function" ? value.bind(target) : value
    },
  })
}
