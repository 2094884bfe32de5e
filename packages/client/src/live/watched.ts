import type { Transport } from "../transport.ts"
import { keepLive } from "./keep-live.ts"
import type { Readable, Store } from "./store.ts"

/** What is shown while nothing was read yet, and by a server that renders. */
export interface LiveStore<T> extends Readable<T> {
  readonly initial: T
  /** Whether anybody is subscribed. */
  readonly isWatched: () => boolean
  /** Reads anew from where it stands, at once. Without effect while nobody is subscribed. */
  readonly restart: () => void
}

/**
 * How long reading goes on when nobody is subscribed any more, milliseconds: a component that is mounted anew (React does so twice while
 * developing) finds the same connection.
 */
const LINGER_MS = 1_000

/**
 * Reads while anybody is subscribed.
 *
 * 1. However many subscribe there is one reader.
 * 2. What was read stays when the last one leaves; `run` goes on from there when the next one comes.
 *
 * @param run Brings the store up to date and keeps it so until the signal aborts. Calls `progress` when it got somewhere.
 * @param failed Told each failure, and whether there will be another try.
 */
export function watched<T>(
  store: Store<T>,
  transport: Transport,
  run: (signal: AbortSignal, progress: () => void) => Promise<void>,
  failed: (error: unknown, again: boolean) => void,
): LiveStore<T> {
  const initial = store.get()
  let count = 0
  let reading: AbortController | undefined
  let leaving: AbortController | undefined

  function start(): void {
    const { signal } = (reading = new AbortController())
    keepLive(transport, run, failed, signal).catch((error: unknown) => failed(error, false))
  }

  function stop(): void {
    reading?.abort()
    reading = undefined
  }

  async function linger(): Promise<void> {
    const { signal } = (leaving = new AbortController())
    await transport.clock.sleep(LINGER_MS, signal).catch(() => undefined)
    if (!signal.aborted && count === 0) stop()
  }

  return {
    initial,
    get: store.get,
    isWatched: () => count > 0,
    restart: () => {
      if (!reading) return
      stop()
      start()
    },
    subscribe: (listener) => {
      const unsubscribe = store.subscribe(listener)
      leaving?.abort()
      count++
      if (!reading) start()
      let subscribed = true
      return () => {
        unsubscribe()
        if (subscribed && --count === 0) void linger()
        subscribed = false
      }
    },
  }
}
