import { RouseError } from "@rouse/protocol"
import { encodeCommit, sizeOfCommit } from "../core/encoded.ts"
import type { EncodedCommit } from "../core/encoded.ts"
import type { Home } from "../core/home.ts"
import type { Plan } from "../core/plan.ts"
import type { Commit } from "../commit.ts"
import { type Groupable, opensLane, takeGroup } from "./commit-groups.ts"
import type { Committer, Job } from "./committer.ts"
import { homesOf } from "./needs.ts"

/** Commits that wait for a lane. Beyond it `commit` is refused. */
const COMMITS_WAITING_MAX = 8_192
/** Bytes of the commits that wait. Beyond it `commit` is refused. */
const BYTES_WAITING_MAX = 67_108_864

interface Waiting extends Job, Groupable {}

/**
 * Gathers commits into groups, and gives each group to a lane that is free.
 *
 *     commit ──▶ waiting ──▶ a group of those whose homes nobody has ──▶ lane ──▶ outcomes
 *
 * 1. Commits with a home in common are done in the order in which they were given: two lanes never have the same home.
 * 2. Commits with none in common overtake each other.
 */
export class CommitLanes {
  readonly #free: Committer[]
  #waiting: Waiting[] = []
  #bytes = 0
  readonly #busy = new Set<Home>()
  #open = 0
  #scheduled = false
  readonly #waitingMax: number

  constructor(lanes: readonly Committer[], waitingMax: number = COMMITS_WAITING_MAX) {
    this.#free = [...lanes]
    this.#waitingMax = waitingMax
  }

  /** @throws {RouseError} `OVERLOADED` when too many commits wait; else as the commit was refused. */
  commit(given: Commit): Promise<Plan> {
    if (this.#waiting.length >= this.#waitingMax || this.#bytes >= BYTES_WAITING_MAX) {
      const message = `${this.#waiting.length} commits of ${this.#bytes} bytes wait for the database already`
      return Promise.reject(new RouseError("OVERLOADED", message))
    }
    const commit = encodeCommit(given)
    const bytes = sizeOfCommit(commit)
    this.#bytes += bytes
    return new Promise((resolve, reject) => {
      this.#waiting.push(this.#job(commit, bytes, resolve, reject))
      this.#schedule()
    })
  }

  #job(commit: EncodedCommit, bytes: number, resolve: (plan: Plan) => void, reject: (error: unknown) => void): Waiting {
    return {
      commit,
      bytes,
      homes: homesOf(commit),
      attempts: 0,
      reject,
      settle: (planned) => {
        if (planned.ok) resolve(planned.plan)
        else reject(planned.error)
      },
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#free.length === 0) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#fill()
    })
  }

  #fill(): void {
    while (opensLane(this.#waiting.length, this.#open)) {
      const lane = this.#free.pop()
      if (lane === undefined) return
      const group = this.#take()
      if (group.length === 0) {
        this.#free.push(lane)
        return
      }
      void this.#run(lane, group)
    }
  }

  #take(): readonly Waiting[] {
    const { group, kept } = takeGroup(this.#waiting, this.#busy)
    this.#waiting = kept
    for (const { bytes } of group) this.#bytes -= bytes
    return group
  }

  async #run(lane: Committer, group: readonly Waiting[]): Promise<void> {
    for (const { homes } of group) for (const home of homes) this.#busy.add(home)
    this.#open += 1
    await lane.run(group)
    this.#open -= 1
    for (const { homes } of group) for (const home of homes) this.#busy.delete(home)
    this.#free.push(lane)
    this.#fill()
  }
}
