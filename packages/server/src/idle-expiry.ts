import { type EntityUrl, type Principal, RouseError } from "@rouse/protocol"
import type { EntityRecord } from "@rouse/store"
import type { CommitDraft } from "./core/draft.ts"
import type { Plane } from "./plane.ts"
import { purgeEntity } from "./purge.ts"
import { disownRows } from "./shared/disown.ts"
import { signal } from "./signals.ts"

/** How long agents of a type are kept that do nothing. */
export interface IdleRule {
  readonly type: string
  /** Since their last activity, in milliseconds. */
  readonly keepMs: number
  /** Whether the rows that it inserted into shared spaces go with it. */
  readonly shared?: boolean
}

/** Agents that one step looks at, of each rule. */
const LOOK_MAX = 1_000
const SYSTEM: Principal = { kind: "system", id: "retention" }
const AT_REST: ReadonlySet<EntityRecord["status"]> = new Set(["idle", "stopped", "dead"])

/**
 * Purges agents that did nothing for as long as their type's rule says. Each step looks at some, and the next one goes on from there, so
 * that a million of them take some time and no store is read in one go.
 *
 * An agent that is at work, suspended, paused, or has anything scheduled is not idle.
 */
export class IdleExpiry {
  readonly #plane: Plane
  readonly #rules: readonly IdleRule[]
  readonly #after = new Map<string, string>()

  constructor(plane: Plane, rules: readonly IdleRule[]) {
    this.#plane = plane
    this.#rules = rules
  }

  /** Returns how many were purged. */
  async step(): Promise<number> {
    let purged = 0
    for (const rule of this.#rules) purged += await this.#look(rule)
    return purged
  }

  async #look(rule: IdleRule): Promise<number> {
    const { type, keepMs } = rule
    const after = this.#after.get(type)
    const page = await this.#plane.store.entities({ type, limit: LOOK_MAX, ...(after === undefined ? {} : { after }) })
    if (page.next === undefined) this.#after.delete(type)
    else this.#after.set(type, page.next)
    const before = this.#plane.clock() - keepMs
    let purged = 0
    for (const record of page.entities) {
      if (record.activeAtMs > before || !AT_REST.has(record.status)) continue
      if ((await this.#plane.store.rows(record.url, "schedule")).length > 0) continue
      if (await this.#purge(record, rule)) purged += 1
    }
    return purged
  }

  async #purge({ url, version }: EntityRecord, { keepMs, shared = false }: IdleRule): Promise<boolean> {
    const reason = `idle for more than ${keepMs} ms`
    try {
      const stopped = shared ? await this.#stop(url, version, reason) : version
      if (shared) await disownRows(this.#plane, url)
      await purgeEntity(this.#plane, url, stopped, SYSTEM, reason)
      return true
    } catch (error) {
      // Something happened to it meanwhile.
      if (RouseError.is(error, "CONFLICT", "UNKNOWN_ENTITY")) return false
      throw error
    }
  }

  /**
   * Stops an agent that is still as it was seen, so that no row is added or missed while they go.
   *
   * @returns The record's version since.
   * @throws {RouseError} `CONFLICT` when it changed; `UNKNOWN_ENTITY`.
   */
  async #stop(url: EntityUrl, version: number, reason: string): Promise<number> {
    const plane = this.#plane
    const seen = (draft: CommitDraft): void => draft.guard({ kind: "version", url, version })
    await signal(plane, { to: url, from: SYSTEM, name: "kill", payload: reason }, seen)
    const record = await plane.transactor.record(url)
    if (record) return record.version
    throw new RouseError("UNKNOWN_ENTITY", `there is no entity ${url}`)
  }
}
