import { RouseError } from "@rouse/client"
import type { Readable } from "./store.ts"

const PAUSE_MS_MIN = 500
const PAUSE_MS_MAX = 15_000

export interface LiveOptions {
  /**
   * Brings the page up to date and keeps it so until the signal aborts. It may be run again at any time, and calls `progress` when
   * it has got somewhere.
   */
  readonly run: (signal: AbortSignal, progress: () => void) => Promise<void>
  /** Told each failure, and whether there will be another try. */
  readonly failed: (error: unknown, again: boolean) => void
  readonly signal: AbortSignal
  /** While it is false nothing runs. */
  readonly wanted: Readable<boolean>
}

/** Keeps something live until the signal aborts: after a failure that another try may mend it is run again, later each time. */
export async function keepLive({ run, failed, signal, wanted }: LiveOptions): Promise<void> {
  let pauseMs = PAUSE_MS_MIN
  const progress = (): void => {
    pauseMs = PAUSE_MS_MIN
  }
  while (!signal.aborted) {
    await until(wanted, true, signal)
    if (signal.aborted) return
    try {
      await runWhile(wanted, signal, (inner) => run(inner, progress))
    } catch (error) {
      if (signal.aborted) return
      const again = isPassing(error)
      failed(error, again)
      if (!again) return
    }
    if (!wanted.get()) continue
    await pause(pauseMs * (0.75 + Math.random() / 2), signal)
    pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)
  }
}

/** Whether another try may work: the server was not there, was busy, or made a mistake; not when it said no. */
function isPassing(error: unknown): boolean {
  return !RouseError.is(error) || error.retryable || error.status >= 500
}

/** Runs something that is aborted when it is wanted no more. That it was is not a failure. */
async function runWhile(
  wanted: Readable<boolean>,
  signal: AbortSignal,
  run: (inner: AbortSignal) => Promise<void>,
): Promise<void> {
  const unwanted = new AbortController()
  const unsubscribe = wanted.subscribe(() => {
    if (!wanted.get()) unwanted.abort()
  })
  try {
    await run(AbortSignal.any([signal, unwanted.signal]))
  } catch (error) {
    if (!unwanted.signal.aborted) throw error
  } finally {
    unsubscribe()
  }
}

/** Waits until a store holds a value, or the signal aborts. */
function until<T>(store: Readable<T>, value: T, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (!signal.aborted && store.get() !== value) return
      unsubscribe()
      signal.removeEventListener("abort", check)
      resolve()
    }
    const unsubscribe = store.subscribe(check)
    signal.addEventListener("abort", check)
    check()
  })
}

/** Waits, but no longer than until the network is back or the signal aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      globalThis.removeEventListener?.("online", done)
      signal.removeEventListener("abort", done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    globalThis.addEventListener?.("online", done)
    signal.addEventListener("abort", done)
  })
}
