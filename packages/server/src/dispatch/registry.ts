import { type ChangeEvent, type Offset, RouseError, START } from "@rouse/protocol"
import { frameJson, parseJson, type Store } from "@rouse/store"
import { applyTypeChange, type TypeCatalog } from "../core/type-catalog.ts"

/** The log that types are registered on. Beside those of entities, and not readable as a stream: an address may hold a secret. */
const TYPES_STREAM = "rouse/types"

const READ_BYTES = 1_048_576
const TRIES_MAX = 20
const SEQ_DIGITS = 15

/**
 * The registered types, durably: a log in the store, and its projection in memory.
 *
 * Invariants:
 * 1. What `change` returned for is on disk, and every process that shares the store sees it.
 * 2. A change is decided on the newest catalog: one that was made on an older one is refused by the store, and decided again.
 */
export class Registry {
  readonly #store: Store
  readonly #clock: () => number
  readonly #onChange: () => void
  #catalog: TypeCatalog = new Map()
  #count = 0
  #next: Offset = START
  #reading: Promise<void> | undefined
  #unwatch: () => void = () => undefined

  /** @param onChange Called when the catalog is another, whoever changed it. */
  constructor(store: Store, clock: () => number, onChange: () => void) {
    this.#store = store
    this.#clock = clock
    this.#onChange = onChange
  }

  get catalog(): TypeCatalog {
    return this.#catalog
  }

  /** Reads the log, and follows it from now on. @param onError Told when following failed. */
  async open(onError: (error: unknown) => void): Promise<void> {
    this.#unwatch = this.#store.watchStream(TYPES_STREAM, () => void this.#read().catch(onError))
    await this.#read()
  }

  /** Reads what others wrote until now. */
  refresh(): Promise<void> {
    return this.#read()
  }

  close(): void {
    this.#unwatch()
  }

  /**
   * Decides changes on the newest catalog and writes them. None are written when none are returned.
   *
   * @throws Whatever `plan` throws; `CONFLICT` when others kept changing it; as `Store.commit`.
   */
  async change(plan: (catalog: TypeCatalog) => readonly ChangeEvent[]): Promise<void> {
    // What is no change here may be one after what another process wrote.
    await this.#read()
    for (let attempt = 1; ; attempt++) {
      const events = plan(this.#catalog)
      if (events.length === 0) return
      if (await this.#write(events)) return await this.#read()
      if (attempt >= TRIES_MAX) throw new RouseError("CONFLICT", "the types kept being changed by others; try again")
      await this.#read()
    }
  }

  async #write(events: readonly ChangeEvent[]): Promise<boolean> {
    const nowMs = this.#clock()
    const streamSeq = String(this.#count + 1).padStart(SEQ_DIGITS, "0")
    const create = { op: "createStream", path: TYPES_STREAM, contentType: "application/json", nowMs } as const
    const append = { op: "append", path: TYPES_STREAM, data: frameJson(events), streamSeq, nowMs } as const
    try {
      await this.#store.commit({ ops: this.#count === 0 ? [create, append] : [append] })
      return true
    } catch (error) {
      if (RouseError.is(error, "SEQUENCE_REGRESSION", "ALREADY_EXISTS")) return false
      throw error
    }
  }

  async #read(): Promise<void> {
    while (this.#reading) await this.#reading
    this.#reading = this.#readOn()
    try {
      await this.#reading
    } finally {
      this.#reading = undefined
    }
  }

  async #readOn(): Promise<void> {
    if (!(await this.#store.stream(TYPES_STREAM))) return
    const before = this.#catalog
    for (;;) {
      const { chunks, next, upToDate } = await this.#store.read(TYPES_STREAM, this.#next, READ_BYTES)
      for (const chunk of chunks) {
        this.#count += 1
        for (const event of parseJson([chunk]) as unknown as readonly ChangeEvent[])
          this.#catalog = applyTypeChange(this.#catalog, event)
      }
      this.#next = next
      if (upToDate) break
    }
    if (this.#catalog !== before) this.#onChange()
  }
}
