import type { EntityUrl, Json, MessageRow, Settled } from "@rouse/protocol"

/** What a commit settled: a message that came to its end. */
export interface Settlement {
  readonly message: string
  readonly status: MessageRow["status"]
  readonly reply: Json
  readonly run?: string
  readonly reason?: string
}

/** Tells those who wait in this process that a message is settled, without a look at the store. One entry a waiting request. */
export class Settlements {
  readonly #waiting = new Map<string, Set<(settled: Settled) => void>>()

  /** Calls `onSettled` once, when the commit that settles the message is on disk. Returns the unsubscriber. */
  watch(url: EntityUrl, message: string, onSettled: (settled: Settled) => void): () => void {
    const key = keyOf(url, message)
    const waiting = this.#waiting.get(key) ?? new Set()
    this.#waiting.set(key, waiting.add(onSettled))
    return () => {
      waiting.delete(onSettled)
      if (waiting.size === 0) this.#waiting.delete(key)
    }
  }

  tell(settled: Settled): void {
    const waiting = this.#waiting.get(keyOf(settled.url, settled.message))
    for (const onSettled of [...(waiting ?? [])]) onSettled(settled)
  }
}

function keyOf(url: EntityUrl, message: string): string {
  return `${url}\n${message}`
}
