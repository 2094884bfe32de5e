import { type EntityUrl, RouseError, type Row } from "@rouse/protocol"
import type { CommitResult, EntityRecord, Store } from "@rouse/store"
import { CommitDraft, type EntityDraft } from "./core/draft.ts"
import { EntityCache } from "./entity-cache.ts"
import { KeyedLock } from "./keyed-lock.ts"

/** How often a plan is made again when another replica changed an entity first. */
const TRIES_MAX = 20

/** The entities that a plan may touch, and the commit it fills. */
export interface Planning {
  readonly draft: CommitDraft
  /** The entity's draft; undefined when there is no such entity. Only those named to `transact` may be asked for. */
  entity(url: EntityUrl): EntityDraft | undefined
  /** Whether the plan may ask for this entity. */
  knows(url: EntityUrl): boolean
}

/** Thrown by a plan that concerns more entities than were named: it is made again with these too. */
export class NeedsEntities extends Error {
  readonly urls: readonly EntityUrl[]

  constructor(urls: readonly EntityUrl[]) {
    super("a plan concerns more entities than were named")
    this.urls = urls
  }
}

export interface Transacted<T> {
  readonly value: T
  readonly result: CommitResult | undefined
  /** What was committed. */
  readonly draft: CommitDraft
}

/**
 * Runs read, decide, commit as one step.
 *
 * Invariants:
 * 1. A plan sees each entity at the version that its commit is guarded by; if that has moved, it is planned again.
 * 2. What a plan decided has happened only when `transact` resolves.
 */
export class Transactor {
  readonly #store: Store
  readonly #clock: () => number
  readonly #lock = new KeyedLock()
  readonly #cache = new EntityCache()
  /** Entities that wait for a wake, as far as this process knows. */
  queued = 0

  constructor(store: Store, clock: () => number) {
    this.#store = store
    this.#clock = clock
  }

  /**
   * Plans with the entities at `urls` and commits the plan. A plan that opens nothing and adds nothing commits nothing.
   *
   * @throws Whatever `plan` throws; `CONFLICT` when others kept changing the entities; and as `Store.commit`.
   */
  async transact<T>(urls: readonly EntityUrl[], plan: (planning: Planning) => T | Promise<T>): Promise<Transacted<T>> {
    try {
      return await this.#locked(urls, plan)
    } catch (error) {
      if (!(error instanceof NeedsEntities)) throw error
      return await this.transact([...new Set([...urls, ...error.urls])], plan)
    }
  }

  async #locked<T>(urls: readonly EntityUrl[], plan: (planning: Planning) => T | Promise<T>): Promise<Transacted<T>> {
    const release = await this.#lock.acquire(urls)
    try {
      for (let attempt = 1; ; attempt++) {
        const outcome = await this.#attempt(urls, plan, attempt === TRIES_MAX)
        if (outcome) return outcome
      }
    } finally {
      release()
    }
  }

  /** The record as last seen, or as the store has it. */
  async record(url: EntityUrl): Promise<EntityRecord | undefined> {
    const known = this.#cache.record(url)
    if (known) return known
    const read = await this.#store.entity(url)
    if (read) this.#cache.keep(read)
    return read
  }

  /** An entity's live rows, of one collection when it is given, sorted by collection and key. Shared: not to be changed. */
  async rows(url: EntityUrl, collection?: string): Promise<readonly Row[]> {
    const record = await this.record(url)
    if (!record) return []
    const known = this.#cache.rows(url, record.version, collection)
    if (known) return known
    const rows = await this.#store.rows(url, collection)
    if (collection === undefined) this.#cache.keepRows(url, record.version, rows)
    return rows
  }

  /** One live row. Shared: not to be changed. */
  async row(url: EntityUrl, collection: string, key: string): Promise<Row | undefined> {
    const version = this.#cache.record(url)?.version
    const found = version === undefined ? undefined : this.#cache.row(url, version, collection, key)
    return found?.known ? found.row : await this.#store.row(url, collection, key)
  }

  #apply(draft: CommitDraft): void {
    for (const changed of draft.entities) {
      this.queued += changed.queuedMore
      this.#cache.apply(changed.committed(), changed.rowOps)
    }
  }

  /** Drops what is remembered of these entities. */
  forget(urls: readonly EntityUrl[]): void {
    for (const url of urls) this.#cache.forget(url)
  }

  async #attempt<T>(
    urls: readonly EntityUrl[],
    plan: (planning: Planning) => T | Promise<T>,
    last: boolean,
  ): Promise<Transacted<T> | undefined> {
    const draft = new CommitDraft(this.#clock())
    const records = new Map<EntityUrl, EntityRecord | undefined>()
    const remembered = urls.some((url) => this.#cache.record(url) !== undefined)
    for (const url of urls) records.set(url, this.#cache.record(url) ?? (await this.record(url)))
    const entity = (url: EntityUrl): EntityDraft | undefined => {
      if (!records.has(url)) throw new RouseError("INTERNAL", `${url} is not part of this plan`)
      const record = records.get(url)
      return record ? draft.open(record) : draft.get(url)
    }
    let value: T
    try {
      value = await plan({ draft, entity, knows: (url) => records.has(url) })
    } catch (error) {
      if (error instanceof NeedsEntities) throw error
      // A refusal may rest on a record that another replica has changed since: look again before it is believed.
      this.forget(urls)
      if (!remembered || last) throw error
      return undefined
    }
    const commit = draft.build()
    if (commit.ops.length === 0) return { value, result: undefined, draft }
    try {
      const result = await this.#store.commit(commit)
      if (result.applied) this.#apply(draft)
      return { value, result, draft }
    } catch (error) {
      this.forget(urls)
      if (!RouseError.is(error, "CONFLICT") || last || isAnswered(error)) throw error
      return undefined
    }
  }
}

/** Another request with the same key was first: to plan again would not help. */
function isAnswered(error: RouseError): boolean {
  return error.details?.["guard"] === "noReceipt"
}
