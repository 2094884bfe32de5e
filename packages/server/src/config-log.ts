import { type ChangeEvent, type Json, type Offset, START } from "@rouse/protocol"
import { frameJson, type Op, parseJson, type Store } from "@rouse/store"

const READ_BYTES = 1_048_576

/**
 * Named settings of the server: a log in the store, and its projection in memory.
 *
 * Invariants:
 * 1. What `put` and `remove` returned for is on disk, and every process that shares the store sees it.
 * 2. A change is applied once, in the order of the log.
 */
export class ConfigLog<T> {
  readonly #store: Store
  readonly #clock: () => number
  readonly #path: string
  readonly #collection: string
  readonly #values = new Map<string, T>()
  #next: Offset = START
  #reading: Promise<void> = Promise.resolve()
  #queued: Promise<void> | undefined
  #unwatch: () => void = () => undefined

  /** @param path Of the log, which the server alone writes. */
  constructor(store: Store, clock: () => number, path: string, collection: string) {
    this.#store = store
    this.#clock = clock
    this.#path = path
    this.#collection = collection
  }

  /** Reads the log, and follows it from now on. @param onError Told when following failed. */
  async open(onError: (error: unknown) => void): Promise<void> {
    this.#unwatch = this.#store.watchStream(this.#path, () => void this.#read().catch(onError))
    await this.#read()
  }

  close(): void {
    this.#unwatch()
  }

  /** Reads what was written since, also before it is open. */
  refresh(): Promise<void> {
    return this.#read()
  }

  get values(): ReadonlyMap<string, T> {
    return this.#values
  }

  /** @param also Operations of the same commit. */
  async put(name: string, value: T, also: readonly Op[] = []): Promise<void> {
    const operation = this.#values.has(name) ? "update" : "insert"
    await this.#write({ type: this.#collection, key: name, value: value as Json, headers: { operation } }, also)
  }

  async remove(name: string, also: readonly Op[] = []): Promise<void> {
    await this.#write({ type: this.#collection, key: name, headers: { operation: "delete" } }, also)
  }

  async #write(event: ChangeEvent, also: readonly Op[]): Promise<void> {
    const nowMs = this.#clock()
    const path = this.#path
    const create = { op: "createStream", path, contentType: "application/json", nowMs } as const
    await this.#store.commit({ ops: [create, { op: "append", path, data: frameJson([event]), nowMs }, ...also] })
    await this.#read()
  }

  /** What has not begun yet will see all that was written before now, so that many who ask at once wait for the same. */
  #read(): Promise<void> {
    this.#queued ??= this.#reading
      .catch(() => undefined)
      .then(() => {
        this.#queued = undefined
        this.#reading = this.#readOn()
        return this.#reading
      })
    return this.#queued
  }

  async #readOn(): Promise<void> {
    if (this.#next === START && !(await this.#store.stream(this.#path))) return
    for (;;) {
      const { chunks, next, upToDate } = await this.#store.read(this.#path, this.#next, READ_BYTES)
      for (const event of chunks.flatMap((chunk) => parseJson([chunk])) as unknown as readonly ChangeEvent[]) {
        if (event.headers.operation === "delete") this.#values.delete(event.key)
        else this.#values.set(event.key, event.value as T)
      }
      this.#next = next
      if (upToDate) return
    }
  }
}
