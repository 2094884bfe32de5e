import { RouseError } from "@rouse/protocol"
import type { EncodedCommit } from "../core/encoded.ts"
import type { Connection, SqlValue } from "./connection.ts"
import { encodeLists } from "./encode-lists.ts"
import { DatabaseError, refusalOf, unavailable } from "./database-failure.ts"
import type { FactCache } from "./fact-cache.ts"
import { Deferred, Missing, newFacts } from "./facts.ts"
import type { Need } from "./facts.ts"
import { Group } from "./group.ts"
import type { Batch, Planned } from "./group.ts"
import type { Ids } from "./ids.ts"
import { Layer } from "./layer.ts"
import type { Loader } from "./loader.ts"
import { changesSubscriptions, needsOf } from "./needs.ts"
import type { Outcomes } from "./outcomes.ts"
import { SET_LOCK, SubscriptionSet } from "./subscription-set.ts"

/** Times that a commit is planned again because others changed what it was planned on. */
const ATTEMPTS_MAX = 50
/** Rounds of looking up for one plan: a fork looks at what it finds. */
const LOOKUPS_MAX = 32

export interface Job {
  readonly commit: EncodedCommit
  readonly settle: (planned: Planned) => void
  readonly reject: (error: unknown) => void
  attempts: number
}

export interface CommitterParts {
  readonly connection: Connection
  readonly loader: Loader
  readonly outcomes: Outcomes
  readonly cache: FactCache
  readonly ids: Ids
  readonly nonce: string
}

/**
 * Takes a group of commits to the database, until each is done or refused.
 *
 *     jobs ──▶ look up what is not at hand ──▶ plan ──▶ apply ──▶ settled
 *                        ▲                                │ planned on what is no longer so
 *                        └────────────────────────────────┘
 *
 * 1. A job is settled only by what the database said of a plan of it.
 * 2. When the connection is lost while a group is applied, nothing of it is done again before it is known what became of it.
 */
export class Committer {
  readonly #parts: CommitterParts
  #set = new SubscriptionSet(-1, [])

  constructor(parts: CommitterParts) {
    this.#parts = parts
  }

  /** Never rejects: what fails is told to those who wait for it. */
  async run(jobs: readonly Job[]): Promise<void> {
    let waiting = [...jobs]
    while (waiting.length > 0) {
      const [first] = waiting
      const alone = first !== undefined && (first.attempts > 1 || changesSubscriptions(first.commit))
      const end = waiting.findIndex((job, index) => index > 0 && (alone || changesSubscriptions(job.commit)))
      const now = end < 0 ? waiting : waiting.slice(0, end)
      const later = end < 0 ? [] : waiting.slice(end)
      waiting = [...(await this.#round(now)), ...later]
    }
  }

  /** Returns those that are to be planned again. */
  async #round(jobs: readonly Job[]): Promise<Job[]> {
    try {
      const { group, deferred } = await this.#plan(jobs)
      const batch = group.batch()
      const changes = jobs.some((job) => changesSubscriptions(job.commit))
      const stale = await this.#apply(batch, changes)
      return [...this.#settle(jobs, group, stale), ...deferred]
    } catch (error) {
      return this.#failed(jobs, error)
    }
  }

  async #plan(jobs: readonly Job[]): Promise<{ readonly group: Group; readonly deferred: readonly Job[] }> {
    const { cache, loader, ids, nonce } = this.#parts
    const facts = newFacts()
    let needs: Need[] = []
    let wantsIds = false
    for (let lookup = 0; lookup < LOOKUPS_MAX; lookup += 1) {
      const known = jobs.flatMap(({ commit }) => needsOf(commit, this.#set.size > 0 || changesSubscriptions(commit)))
      const missing = cache.missing([...known, ...needs], facts, wantsIds || this.#set.version < 0)
      if (missing.length > 0 || wantsIds || this.#set.version < 0) {
        this.#set = await loader.load(missing, wantsIds, facts, this.#set)
      }
      ids.restart()
      const group = new Group({
        facts,
        layer: new Layer(),
        set: this.#set,
        ids,
        nonce,
        recall: (need) => cache.recall(need, facts),
      })
      const found = planAll(group, jobs)
      if (found.needs.length === 0 && !found.wantsIds) {
        ids.spend()
        return { group, deferred: found.deferred }
      }
      needs = found.needs
      wantsIds = found.wantsIds
    }
    throw new Error(`a commit asks for more than ${LOOKUPS_MAX} rounds of looking up`)
  }

  async #apply(batch: Batch, changes: boolean): Promise<readonly number[] | "set"> {
    const { connection, outcomes } = this.#parts
    const name = outcomes.newName()
    const { sizes, parts, nums, txts, byts } = encodeLists(batch.rows)
    const values: SqlValue[] = [
      name.tree,
      name.id,
      batch.locks,
      batch.shared,
      this.#set.version,
      changes,
      SET_LOCK,
      sizes,
      parts,
      nums,
      txts,
      byts,
    ]
    try {
      const stale = await connection.valueOf("apply_1", values)
      return stale === null ? "set" : partsOf(stale)
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.fate !== "unknown") throw error
      return outcomes.resolve(name)
    }
  }

  /** Returns the jobs that were planned on what is no longer so. */
  #settle(jobs: readonly Job[], group: Group, stale: readonly number[] | "set"): Job[] {
    if (stale === "set") {
      this.#set = new SubscriptionSet(-1, [])
      return jobs.filter((job, index) => group.planned.has(index) && this.#mayGoOn(job))
    }
    const { cache } = this.#parts
    const isDone = (index: number): boolean => !stale.includes(group.partOf(index))
    cache.keep(group, isDone)
    const again: Job[] = []
    jobs.forEach((job, index) => {
      const planned = group.planned.get(index)
      if (planned === undefined) return
      if (isDone(index)) job.settle(planned)
      else if (this.#mayGoOn(job)) again.push(job)
    })
    if (jobs.some((job) => changesSubscriptions(job.commit))) this.#set = new SubscriptionSet(-1, [])
    return again
  }

  #mayGoOn(job: Job): boolean {
    job.attempts += 1
    if (job.attempts < ATTEMPTS_MAX) return true
    job.reject(
      new RouseError("OVERLOADED", `others changed what this commit depends on ${ATTEMPTS_MAX} times meanwhile`),
    )
    return false
  }

  /** A group that broke is done one by one, so that only the culprit fails. */
  #failed(jobs: readonly Job[], error: unknown): Job[] {
    this.#parts.cache.clear()
    if (error instanceof DatabaseError) {
      if (error.fate === "again") return jobs.filter((job) => this.#mayGoOn(job))
      if (error.fate === "unknown")
        return this.#reject(jobs, unavailable(this.#parts.connection.where, error.sqlState, error.message))
      if (jobs.length > 1) return oneByOne(jobs)
      return this.#reject(jobs, refusalOf(error, this.#parts.connection.where))
    }
    // What one of them looks up in a bucket is no other's concern.
    const isOfOne = RouseError.is(error, "BUCKET_UNAVAILABLE", "BUCKET_DAMAGED", "OVERLOADED") && jobs.length > 1
    return isOfOne ? oneByOne(jobs) : this.#reject(jobs, error)
  }

  #reject(jobs: readonly Job[], error: unknown): Job[] {
    for (const job of jobs) job.reject(error)
    return []
  }
}

function oneByOne(jobs: readonly Job[]): Job[] {
  return jobs.map((job) => Object.assign(job, { attempts: Math.max(job.attempts, 2) }))
}

function planAll(
  group: Group,
  jobs: readonly Job[],
): { readonly needs: Need[]; readonly wantsIds: boolean; readonly deferred: Job[] } {
  const needs: Need[] = []
  const deferred: Job[] = []
  let wantsIds = false
  jobs.forEach((job, index) => {
    try {
      if (deferred.length > 0) deferred.push(job)
      else group.plan(index, job.commit)
    } catch (error) {
      if (error instanceof Deferred) deferred.push(job)
      else if (!(error instanceof Missing)) throw error
      else if (error.needs === "ids") wantsIds = true
      else needs.push(...error.needs)
    }
  })
  return { needs, wantsIds, deferred }
}

function partsOf(value: unknown): number[] {
  if (Array.isArray(value)) return value.map(Number)
  const text = typeof value === "string" ? value.slice(1, -1) : ""
  return text === "" ? [] : text.split(",").map(Number)
}
