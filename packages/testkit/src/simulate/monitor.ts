import type { Commit, CommitResult, Store } from "@rouse/store"
import type { Violation } from "../crash/core/history.ts"

/**
 * Watches every commit as it is applied, with a memory of its own (P6): what is written under a lease is written under the newest, and
 * an entity's epoch only grows.
 */
export class Monitor {
  readonly violations: Violation[] = []
  readonly #epochs = new Map<string, number>()

  async commit(commit: Commit, store: Pick<Store, "commit">): Promise<CommitResult> {
    const before = (commit.guards ?? []).flatMap((guard) =>
      guard.kind === "lease" ? [{ ...guard, newest: this.#epochs.get(guard.url) ?? 0 }] : [],
    )
    const result = await store.commit(commit)
    if (!result.applied) return result
    for (const { url, epoch, newest } of before) {
      if (epoch !== newest) this.#broken(url, `a commit under epoch ${epoch} was applied at epoch ${newest}`)
    }
    for (const op of commit.ops) if (op.op === "putEntity") this.#see(op.record.url, op.record.epoch)
    return result
  }

  #see(url: string, epoch: number): void {
    const newest = this.#epochs.get(url) ?? 0
    if (epoch < newest) this.#broken(url, `the epoch went back from ${newest} to ${epoch}`)
    this.#epochs.set(url, epoch)
  }

  #broken(where: string, what: string): void {
    this.violations.push({ rule: "P6", where, what })
  }
}
