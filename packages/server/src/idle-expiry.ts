import { type Principal, RouseError } from "@rouse/protocol"
import type { EntityRecord } from "@rouse/store"
import type { Plane } from "./plane.ts"
import { purgeEntity } from "./purge.ts"

/** How long agents of a type are kept that do nothing. */
export interface IdleRule {
  readonly type: string
  /** Since their last activity, in milliseconds. */
  readonly keepMs: number
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

  async #look({ type, keepMs }: IdleRule): Promise<number> {
    const after = this.#after.get(type)
    const page = await this.#plane.store.entities({ type, limit: LOOK_MAX, ...(after === undefined ? {} : { after }) })
    if (page.next === undefined) this.#after.delete(type)
    else this.#after.set(type, page.next)
    const before = this.#plane.clock() - keepMs
    let purged = 0
    for (const record of page.entities) {
      if (record.activeAtMs > before || !AT_REST.has(record.status)) continue
      if ((await this.#plane.store.rows(record.url, "schedule")).length > 0) continue
      if (await this.#purge(record, keepMs)) purged += 1
    }
    return purged
  }

  async #purge({ url, version }: EntityRecord, keepMs: number): Promise<boolean> {
    try {
      await purgeEntity(this.#plane, url, version, SYSTEM, `idle for more than ${keepMs} ms`)
      return true
    } catch (error) {
      // Something happened to it meanwhile.
      if (RouseError.is(error, "CONFLICT")) return false
      throw error
    }
  }
}
