import { RouseError } from "@rouse/protocol"
import type { EncodedCommit } from "../core/encoded.ts"
import { errorOf } from "./engine.ts"
import type { Outcome } from "./engine.ts"
import type { Writer } from "./writer-port.ts"

/** Groups on their way to the disk: while one is synced, the next is planned and the one after it gathers. */
const GROUPS_UNDER_WAY_MAX = 2
/** Commits in one transaction: a bound on how long a group holds the writer. */
const GROUP_COMMITS_MAX = 256
/** Commits that wait for a group. Beyond it `commit` is refused. */
export const COMMITS_QUEUED_MAX = 8_192

export type Committed = Extract<Outcome, { readonly ok: true }>

interface Waiting {
  readonly commit: EncodedCommit
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
  #underWay = 0
  #scheduled = false

  constructor(writer: Writer, queuedMax: number = COMMITS_QUEUED_MAX) {
    this.#writer = writer
    this.#queuedMax = queuedMax
  }

  /** @throws {RouseError} `OVERLOADED` when too many commits wait; else as the engine refused it. */
  commit(commit: EncodedCommit): Promise<Committed> {
    if (this.#waiting.length >= this.#queuedMax) {
      return Promise.reject(new RouseError("OVERLOADED", `${this.#queuedMax} commits wait for the disk already`))
    }
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome): void => {
        if (outcome.ok) resolve(outcome)
        else reject(errorOf(outcome.failure))
      }
      this.#waiting.push({ commit, settle, reject })
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
    if (this.#waiting.length <= GROUP_COMMITS_MAX) {
      const group = this.#waiting
      this.#waiting = []
      return group
    }
    return this.#waiting.splice(0, GROUP_COMMITS_MAX)
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
