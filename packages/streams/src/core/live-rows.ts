import { RouseError } from "@rouse/protocol"
import { parseStateMessage, splitBatch } from "./state-message.ts"

/** How a row's next value comes of the last and a change's, all JSON text; undefined: the change's replaces it, as the protocol says. */
export type MergeRow = (type: string, before: string | undefined, next: string) => string | undefined

interface LiveRow {
  readonly type: string
  readonly key: string
  readonly value: string
  readonly headers: Readonly<Record<string, unknown>>
}

/** Text folded beyond twice what is live, after which the rows are copied, in UTF-16 code units: they are slices that keep their batch. */
const WASTE_MAX = 8 * 1024 * 1024

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * What a State Protocol stream amounts to: the last value of every row that was not deleted.
 *
 * 1. Rows stand in the order of their last change, as a reader of the whole stream would have seen them.
 * 2. `frame()` applied to a new one gives the same rows: a snapshot is a batch like any other.
 *
 * @see Durable Streams State Protocol §6
 */
export class LiveRows {
  readonly #merge: MergeRow | undefined
  readonly #sizeMax: number
  #rows = new Map<string, LiveRow>()
  #size = 0
  #folded = 0

  /** @param sizeMax Of all rows together, about, in UTF-16 code units. */
  constructor(sizeMax: number, merge?: MergeRow) {
    this.#sizeMax = sizeMax
    this.#merge = merge
  }

  /**
   * Applies a batch in the store's wire form.
   *
   * @throws {RouseError} `BAD_REQUEST` when a message is none of the State Protocol; `TOO_LARGE` when too much is live.
   */
  apply(batch: Uint8Array): void {
    const text = decoder.decode(batch)
    for (const message of splitBatch(text)) this.#change(message)
    this.#folded += text.length
    if (this.#size > this.#sizeMax) {
      throw new RouseError(
        "TOO_LARGE",
        `the stream's live rows are more than ${this.#sizeMax} characters: read it whole`,
      )
    }
    if (this.#folded > 2 * this.#size + WASTE_MAX) this.#copy()
  }

  /** The rows as a batch of inserts. */
  frame(): Uint8Array {
    const messages: string[] = []
    for (const row of this.#rows.values()) messages.push(framed(row))
    return encoder.encode(messages.join(""))
  }

  #change(text: string): void {
    const message = parseStateMessage(text)
    if (message === undefined) {
      throw new RouseError(
        "BAD_REQUEST",
        "snapshot: the stream has messages that are not changes of the State Protocol",
      )
    }
    if (message.kind === "mark") return
    if (message.kind === "reset") return this.#clear()
    const { type, key, operation, headers, value = "null" } = message
    const id = `${type.length} ${type}${key}`
    const before = this.#rows.get(id)
    if (before !== undefined) this.#drop(id, before)
    if (operation === "delete") return
    this.#put(id, { type, key, headers, value: this.#merge?.(type, before?.value, value) ?? value })
  }

  #put(id: string, row: LiveRow): void {
    this.#rows.set(id, row)
    this.#size += sizeOf(row)
  }

  #drop(id: string, row: LiveRow): void {
    this.#rows.delete(id)
    this.#size -= sizeOf(row)
  }

  #clear(): void {
    this.#rows.clear()
    this.#size = 0
  }

  /** Lets go of the batches that the rows were cut from. */
  #copy(): void {
    const batch = this.frame()
    this.#clear()
    this.#folded = 0
    for (const message of splitBatch(decoder.decode(batch))) {
      const row = parseStateMessage(message)
      if (row?.kind === "change")
        this.#put(`${row.type.length} ${row.type}${row.key}`, { ...row, value: row.value ?? "null" })
    }
  }
}

function framed({ type, key, value, headers }: LiveRow): string {
  const inserted = JSON.stringify({ ...headers, operation: "insert" })
  return `{"type":${JSON.stringify(type)},"key":${JSON.stringify(key)},"value":${value},"headers":${inserted}},`
}

function sizeOf({ type, key, value }: LiveRow): number {
  return type.length + key.length + value.length + 64
}
