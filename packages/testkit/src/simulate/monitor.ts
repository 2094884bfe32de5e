import { type ChangeEvent, entityOfStream } from "@rouse/protocol"
import { type Commit, type CommitResult, parseJson, type Store } from "@rouse/store"
import type { Violation } from "../crash/core/history.ts"
import type { SpendModel } from "./core/spend-model.ts"

/**
 * Watches every commit as it is applied, with a memory of its own: what is written under a lease is written under the newest, and an
 * entity's epoch only grows (P6); and no tree of agents uses more than it was given (P5).
 */
export class Monitor {
  readonly violations: Violation[] = []
  readonly #epochs = new Map<string, number>()
  readonly #spend: SpendModel

  constructor(spend: SpendModel) {
    this.#spend = spend
  }

  async commit(commit: Commit, store: Pick<Store, "commit">): Promise<CommitResult> {
    const before = (commit.guards ?? []).flatMap((guard) =>
      guard.kind === "lease" ? [{ ...guard, newest: this.#epochs.get(guard.url) ?? 0 }] : [],
    )
    const result = await store.commit(commit)
    if (!result.applied) return result
    for (const { url, epoch, newest } of before) {
      if (epoch !== newest) this.#broken(url, `a commit under epoch ${epoch} was applied at epoch ${newest}`)
    }
    for (const op of commit.ops) {
      if (op.op === "putEntity") this.#see(op.record.url, op.record.epoch)
      else if (op.op === "append" || op.op === "createStream") this.#read(op.path, op.data)
    }
    return result
  }

  #see(url: string, epoch: number): void {
    const newest = this.#epochs.get(url) ?? 0
    if (epoch < newest) this.#broken(url, `the epoch went back from ${newest} to ${epoch}`)
    this.#epochs.set(url, epoch)
  }

  /** P5: no tree uses more than it was given. */
  #read(path: string, data: Uint8Array | undefined): void {
    const url = entityOfStream(path)
    if (url === undefined || data === undefined || data.length === 0) return
    const events = parseJson([data]) as unknown as readonly ChangeEvent[]
    this.violations.push(...this.#spend.see(url, events))
  }

  #broken(where: string, what: string): void {
    this.violations.push({ rule: "P6", where, what })
  }
}
