import { createStore } from "../data/store.ts"
import type { Store } from "../data/store.ts"

/** What is open over the page. One thing at a time. */
export type Overlay =
  | { readonly kind: "help" }
  | { readonly kind: "palette" }
  | { readonly kind: "new-agent"; readonly type?: string }

export const overlay: Store<Overlay | undefined> = createStore<Overlay | undefined>(undefined)

export function openNewAgent(type?: string): void {
  overlay.set({ kind: "new-agent", ...(type !== undefined && { type }) })
}

/** What a dialog of this page gives to `onOpenChange`. */
export function closeOverlay(open: boolean): void {
  if (!open) overlay.set(undefined)
}
