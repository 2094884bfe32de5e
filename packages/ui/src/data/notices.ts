import { createStore } from "./store.ts"
import type { Store } from "./store.ts"

/** A short word to the person: something was done, or was refused. */
export interface Notice {
  readonly id: number
  readonly tone: "plain" | "danger"
  readonly text: string
}

const NOTICES_MAX = 3
const SHOWN_MS = 6_000

export const notices: Store<readonly Notice[]> = createStore<readonly Notice[]>([])
let lastId = 0

/** Shows a notice for a while. The oldest makes room. */
export function tell(text: string, tone: Notice["tone"] = "plain"): void {
  const id = ++lastId
  notices.update((shown) => [...shown, { id, tone, text }].slice(-NOTICES_MAX))
  setTimeout(() => dismiss(id), SHOWN_MS)
}

export function dismiss(id: number): void {
  notices.update((shown) => shown.filter((notice) => notice.id !== id))
}
