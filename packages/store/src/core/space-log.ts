import { spaceOfStream } from "@rouse/protocol"
import type { SharedDefinition } from "@rouse/protocol"
import { concatBytes } from "./bytes.ts"
import type { SpaceRowState } from "./space-state.ts"

type Operation = "insert" | "update" | "delete"

const encoder = new TextEncoder()

/** What a commit says on a space's log, in wire bytes. Each message's position on the log is known before it is written. */
export class SpaceLog {
  readonly #parts: Uint8Array[] = []
  readonly #base: number
  readonly #by: string
  readonly #at: string
  #length = 0

  /** @param base The log's tail. */
  constructor(base: number, by: string, nowMs: number) {
    this.#base = base
    this.#by = by
    this.#at = new Date(nowMs).toISOString()
  }

  /** Where the next message begins. Never 0 in a space that is there: its definition comes first. */
  get position(): number {
    return this.#base + this.#length
  }

  get bytes(): Uint8Array {
    return concatBytes(this.#parts)
  }

  get isEmpty(): boolean {
    return this.#length === 0
  }

  define(path: string, definition: SharedDefinition, operation: Operation): void {
    const id = spaceOfStream(path) ?? path
    this.#add("space", id, JSON.stringify({ id, ...definition }), { operation, timestamp: this.#at })
  }

  /** A row's value as it is now, or that it is gone. */
  row({ collection, key, value, version }: SpaceRowState, operation: Operation): void {
    const headers = { operation, version, by: this.#by, timestamp: this.#at }
    if (operation === "delete") this.#add(collection, key, undefined, { ...headers, version: this.position })
    else this.#add(collection, key, value, headers)
  }

  /** Who has a row now, or that nobody has. */
  claim(row: SpaceRowState, operation: Operation, expired = false): void {
    const { collection, key, holder, token, freeAtMs, done } = row
    const headers = { operation, by: this.#by, timestamp: this.#at, ...(expired ? { expired: "true" } : {}) }
    const name = claimKey(row)
    if (operation === "delete") return this.#add("claim", name, undefined, headers)
    const held = { holder, expiresAt: new Date(freeAtMs).toISOString() }
    const value = { collection, key, token, status: done ? "completed" : "held", ...(done ? {} : held) }
    this.#add("claim", name, JSON.stringify(value), headers)
  }

  #add(type: string, key: string, value: string | undefined, headers: object): void {
    const text = value === undefined ? "" : `,"value":${value}`
    const bytes = encoder.encode(
      `{"type":${JSON.stringify(type)},"key":${JSON.stringify(key)}${text},"headers":${JSON.stringify(headers)}},`,
    )
    this.#parts.push(bytes)
    this.#length += bytes.length
  }
}

/** The key of a row's claim in the collection `claim`. A collection's name has no `/`. */
export function claimKey({ collection, key }: { readonly collection: string; readonly key: string }): string {
  return `${collection}/${key}`
}
