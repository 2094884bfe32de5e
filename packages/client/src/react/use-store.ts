"use client"

import { useSyncExternalStore } from "react"
import type { LiveStore } from "../live/watched.ts"

/** What a store holds, and again when that changes. A server renders, and a page begins with, what is there before anything was read. */
export function useStore<T>(store: LiveStore<T>): T {
  return useSyncExternalStore(store.subscribe, store.get, () => store.initial)
}

/** A part of what a store holds: `select` must give the same thing for the same value. */
export function useSelected<T, S>(store: LiveStore<T>, select: (value: T) => S): S {
  return useSyncExternalStore(
    store.subscribe,
    () => select(store.get()),
    () => select(store.initial),
  )
}
