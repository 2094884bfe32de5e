import { createStore } from "./store.ts"
import type { Readable } from "./store.ts"

const KEY = "rouse.token"

const store = createStore<string | undefined>(sessionStorage.getItem(KEY) ?? undefined)

/** The token that requests carry. It is kept for this tab alone, and forgotten with it. */
export const token: Readable<string | undefined> = store

export function setToken(value: string | undefined): void {
  if (value === undefined) sessionStorage.removeItem(KEY)
  else sessionStorage.setItem(KEY, value)
  store.set(value)
}
