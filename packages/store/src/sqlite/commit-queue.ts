import { RouseError } from "@rouse/protocol"
import { sizeOfCommit } from "../core/encoded.ts"
import type { EncodedCommit } from "../core/encoded.ts"
import { errorOf } from "./engine.ts"
import type { Outcome } from "./engine.ts"
import type { Writer } from "./writer-port.ts"

/** Groups on their way to the disk: while one is synced, the next is planned and the one after it gathers. */
const GROUPS_UNDER_WAY_MAX = 2
/** Commits in one transaction: a bound on how long a group holds the writer. */
const GROUP_COMMITS_MAX = 256
/** Bytes in one transaction, but for a single commit that is larger. */
const GROUP_BYTES_MAX = 8 * 1_024 * 1_024
/** Commits that wait for a group. Beyond it `commit` is refused. */
export const COMMITS_QUEUED_MAX = 8_192
/** Bytes of the commits that wait for a group. Beyond it `commit` is refused. */
export const BYTES_QUEUED_MAX = 67_108_864

export type Committed = Extract<Outcome, { readonly ok: true }>

interface Waiting {
  readonly commit: EncodedCommit
  readonly bytes: number
  readonly settle: (outcome: Outcome) => void
  readonly reject: (error: unknown) => void
}

/**
 * Gathers commits into groups.
 *
 *     commit ──▶ waiting ──(a turn of the loop, or a group came back)──▶ group ──▶ writer ──▶ outcomes, in order
 *
 * 1. Commits reach the writer in the order in which they were given, and are settled in that order.
 * 2. An idle queue sends at the end of the current turn: what one turn gives is one group.
 */
export class CommitQueue {
  readonly #writer: Writer
  readonly #queuedMax: number
  #waiting: Waiting[] = []
  #bytes = 0
  #underWay = 0
  #scheduled = false

  constructor(writer: Writer, queuedMax: number = COMMITS_QUEUED_MAX) {
    this.#writer = writer
    this.#queuedMax = queuedMax
  }

  /** @throws {RouseError} `OVERLOADED` when too many commits wait; else as the engine refused it. */
  commit(commit: EncodedCommit): Promise<Committed> {
    if (this.#waiting.length >= this.#queuedMax || this.#bytes >= BYTES_QUEUED_MAX) {
      const message = `${this.#waiting.length} commits of ${this.#bytes} bytes wait for the disk already`
      return Promise.reject(new RouseError("OVERLOADED", message))
    }
    const bytes = sizeOfCommit(commit)
    this.#bytes += bytes
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome): void => {
        if (outcome.ok) resolve(outcome)
        else reject(errorOf(outcome.failure))
      }
      this.#waiting.push({ commit, bytes, settle, reject })
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#scheduled || this.#underWay >= GROUPS_UNDER_WAY_MAX) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      if (this.#waiting.length > 0) void this.#send(this.#takeGroup())
    })
  }

  #takeGroup(): Waiting[] {
    let bytes = 0
    let count = 0
    for (const waiting of this.#waiting) {
      if (count === GROUP_COMMITS_MAX || (count > 0 && bytes + waiting.bytes > GROUP_BYTES_MAX)) break
      bytes += waiting.bytes
      count += 1
    }
    this.#bytes -= bytes
    return this.#waiting.splice(0, count)
  }

  /** Never rejects: a failed group is told to those who wait for it. */
  async #send(group: readonly Waiting[]): Promise<void> {
    this.#underWay += 1
    if (this.#waiting.length > 0) this.#schedule()
    try {
      const reply = await this.#writer.request({ kind: "commit", group: group.map((waiting) => waiting.commit) })
      if (reply.kind !== "committed") throw reply.kind === "failed" ? errorOf(reply.failure) : new Error(reply.kind)
      group.forEach((waiting, index) => {
        waiting.settle(reply.outcomes[index] as Outcome)
      })
    } catch (error) {
      for (const waiting of group) waiting.reject(error)
    } finally {
      this.#underWay -= 1
      if (this.#waiting.length > 0) this.#schedule()
    }
  }
}
