import { useCallback, useEffect, useState } from "react"
import { keepLive } from "./retrying.ts"
import { createStore, useStore } from "./store.ts"
import type { Readable } from "./store.ts"
import { lookedAt } from "./visibility.ts"

/** Something that is asked for again and again while it is looked at. */
export interface PolledState<T> {
  /** What was told last; it stays while it is asked for anew. */
  readonly value?: T
  /** Why the last question had no answer. */
  readonly error?: unknown
}

export interface Polled<T> extends Readable<PolledState<T>> {
  /** Asks now. */
  readonly reload: () => void
  readonly close: () => void
}

/** Asks at once and then every `everyMs`, and not while nobody looks. A failure that may pass is tried again. */
export function createPolled<T>(load: (signal: AbortSignal) => Promise<T>, everyMs: number): Polled<T> {
  const store = createStore<PolledState<T>>({})
  const closing = new AbortController()
  let poke = (): void => undefined
  const run = async (signal: AbortSignal, progress: () => void): Promise<void> => {
    while (!signal.aborted) {
      const value = await load(signal)
      if (signal.aborted) return
      progress()
      store.set({ value })
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, everyMs)
        poke = resolve
        signal.addEventListener("abort", () => resolve(), { once: true })
        signal.addEventListener("abort", () => clearTimeout(timer), { once: true })
      })
    }
  }
  const failed = (error: unknown): void => store.update((state) => ({ ...state, error }))
  keepLive({ run, failed, signal: closing.signal, wanted: lookedAt }).catch(failed)
  return { get: store.get, subscribe: store.subscribe, reload: () => poke(), close: () => closing.abort() }
}

const NOTHING: PolledState<never> = {}
const NEVER: Readable<PolledState<never>> = { get: () => NOTHING, subscribe: () => () => undefined }

/** The same for as long as the component is there. Asks anew, and keeps what it has meanwhile, when `load` is another function. */
export function usePolled<T>(
  load: (signal: AbortSignal) => Promise<T>,
  everyMs: number,
): PolledState<T> & { readonly reload: () => void } {
  const [polled, setPolled] = useState<Polled<T>>()
  const [before, setBefore] = useState<PolledState<T>>(NOTHING)
  useEffect(() => {
    const made = createPolled(load, everyMs)
    setPolled(made)
    return () => {
      setBefore({ ...made.get() })
      made.close()
    }
  }, [load, everyMs])
  const state = useStore<PolledState<T>>(polled ?? NEVER)
  const reload = useCallback(() => polled?.reload(), [polled])
  const shown = state.value === undefined && state.error === undefined ? before : state
  return { ...shown, reload }
}

/** Up to `max` items of what is told one by one, and whether there are more. */
export async function firstOf<T>(
  items: AsyncIterable<T>,
  max: number,
): Promise<{ readonly items: readonly T[]; readonly more: boolean }> {
  const found: T[] = []
  for await (const item of items) {
    if (found.length === max) return { items: found, more: true }
    found.push(item)
  }
  return { items: found, more: false }
}
