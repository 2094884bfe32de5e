import type { DatabaseSync } from "node:sqlite"
import { RouseError } from "@rouse/protocol"
import type { ErrorCode, ErrorDetails } from "@rouse/protocol"
import { CachedView } from "../core/cache.ts"
import type { EncodedCommit } from "../core/encoded.ts"
import { planCommit } from "../core/plan.ts"
import type { StreamOutcome } from "../commit.ts"
import type { SpaceResult } from "../space.ts"
import { storeFailure } from "./failure.ts"
import { Sweeper } from "./sweeper.ts"
import type { Swept } from "./sweeper.ts"
import { SqliteObservations } from "./observation-source.ts"
import { SqliteSubscriptions } from "./subscription-source.ts"
import { SqliteView } from "./view.ts"
import { Writes } from "./writes.ts"

/** What became of one commit, as data that crosses threads. */
export type Outcome =
  | {
      readonly ok: true
      readonly applied: boolean
      readonly streams: Record<string, StreamOutcome>
      readonly versions: readonly number[]
      readonly subscriptionDueAtMs: number | null
      readonly observationDueAtMs: number | null
      readonly spaces: readonly SpaceResult[]
    }
  | { readonly ok: false; readonly failure: Failure }

/** An error as data. Without a code it was none of ours. */
export interface Failure {
  readonly code: ErrorCode
  readonly message: string
  readonly details: ErrorDetails
}

/**
 * The one writer of a database: groups of commits, each group one transaction and one sync of the disk.
 *
 *     commits ──▶ [ plan ▸ write ] [ plan ▸ refused ] [ plan ▸ write ] ──▶ COMMIT ──▶ outcomes
 *                   └────────── one transaction ──────────┘
 *
 * 1. A commit is planned in full before its first write: a refusal leaves no trace and costs the others nothing.
 * 2. A plan sees the writes of the commits before it in the group.
 * 3. When something breaks midway, the group is rolled back and its commits are done one by one; only the culprit fails.
 * 4. When the disk is full, read-only or failing, the whole group fails with `STORE_UNAVAILABLE`; the engine stays usable.
 */
export class Engine {
  readonly #db: DatabaseSync
  readonly #where: string
  readonly #view: CachedView
  readonly #writes: Writes
  readonly #sweeper: Sweeper

  /** @param where Names the data directory in errors. */
  constructor(db: DatabaseSync, where: string) {
    this.#db = db
    this.#where = where
    this.#view = new CachedView(new SqliteView(db), new SqliteSubscriptions(db), new SqliteObservations(db))
    this.#writes = new Writes(db)
    this.#sweeper = new Sweeper(db)
  }

  commit(group: readonly EncodedCommit[]): Outcome[] {
    try {
      return this.#transact(() => group.map((commit) => this.#commitOne(commit)))
    } catch (error) {
      const failure = failureOf(error, this.#where)
      if (group.length === 1 || failure.code !== "INTERNAL") return group.map(() => ({ ok: false, failure }))
      return group.flatMap((commit) => this.commit([commit]))
    }
  }

  sweep(nowMs: number): Swept {
    const swept = this.#transact(() => this.#sweeper.sweep(nowMs))
    if (swept.streams.length > 0) this.#view.forget()
    return swept
  }

  /** Proves that a write is possible, by making one. */
  check(): void {
    this.#transact(() => this.#db.exec("INSERT OR REPLACE INTO meta (key, value) VALUES ('checked', 1)"))
  }

  #transact<T>(work: () => T): T {
    this.#db.exec("BEGIN IMMEDIATE")
    try {
      const result = work()
      this.#db.exec("COMMIT")
      return result
    } catch (error) {
      this.#view.forget()
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK")
      throw error
    }
  }

  /** Only a refusal is an outcome. What is thrown past it has broken the transaction. */
  #commitOne(commit: EncodedCommit): Outcome {
    let plan
    try {
      plan = planCommit(commit, this.#view)
    } catch (error) {
      if (!RouseError.is(error)) throw error
      return { ok: false, failure: failureOf(error, this.#where) }
    }
    for (const write of plan.writes) this.#writes.do(write)
    if (plan.applied) this.#view.keep(plan.view)
    const { applied, streams, versions, subscriptionDueAtMs, observationDueAtMs, spaces } = plan
    return { ok: true, applied, streams, versions, subscriptionDueAtMs, observationDueAtMs, spaces }
  }
}

export function failureOf(thrown: unknown, where: string): Failure {
  const error = storeFailure(thrown, where)
  if (RouseError.is(error)) return { code: error.code, message: error.message, details: error.details }
  return { code: "INTERNAL", message: error instanceof Error ? error.message : String(error), details: {} }
}

export function errorOf(failure: Failure): RouseError {
  return new RouseError(failure.code, failure.message, { details: failure.details })
}
