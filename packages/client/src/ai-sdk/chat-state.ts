import { createStore } from "../live/store.ts"
import type { Readable } from "../live/store.ts"

/** How many ids of messages that were sent here are remembered. */
const LOCAL_IDS_MAX = 1_000

/** What a transport knows of one chat beside its agent. */
export class ChatState {
  /** How many follow it. */
  followers = 0
  /** How often it was reconnected: that ends the stream before, and stops nothing. */
  reconnects = 0
  /** The ids that messages sent here have in the chat, by their key on the log. */
  readonly localIds: Map<string, string> = new Map()
  readonly #open = createStore(0)
  #unsent: { readonly message: string; readonly key: string } | undefined

  /** Whether a stream of it is open, or about to be. */
  readonly streaming: Readable<boolean> = {
    get: () => this.#open.get() > 0,
    subscribe: (listener) => this.#open.subscribe(listener),
  }

  /** Notes a stream. Returns how to note that it is over. */
  open(): () => void {
    let isOpen = true
    this.#open.update((count) => count + 1)
    return () => {
      if (isOpen) this.#open.update((count) => count - 1)
      isOpen = false
    }
  }

  /** The idempotency key of a message: the same again for one whose receipt never came. */
  keyOf(message: string, newKey: () => string): string {
    const key = this.#unsent?.message === message ? this.#unsent.key : newKey()
    this.#unsent = { message, key }
    return key
  }

  /** Notes that a message is on the log. */
  sent(message: string, key: string): void {
    this.#unsent = undefined
    this.localIds.set(key, message)
    for (const oldest of this.localIds.keys()) {
      if (this.localIds.size <= LOCAL_IDS_MAX) return
      this.localIds.delete(oldest)
    }
  }
}
