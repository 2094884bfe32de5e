import { isPassing } from "../core/problem.ts"
import type { Transport } from "../transport.ts"

/** The wait between two tries grows up to this many of them. */
const ATTEMPTS_COUNTED = 8

/** Runs something until the signal aborts: again after a failure that another try may mend, later each time, and at once when the network is back. */
export async function keepLive(
  transport: Transport,
  run: (signal: AbortSignal, progress: () => void) => Promise<void>,
  failed: (error: unknown, again: boolean) => void,
  signal: AbortSignal,
): Promise<void> {
  let attempt = 0
  while (!signal.aborted) {
    try {
      await run(signal, () => {
        attempt = 0
      })
      return
    } catch (error) {
      if (signal.aborted) return
      failed(error, isPassing(error))
      if (!isPassing(error)) return
      attempt = Math.min(attempt + 1, ATTEMPTS_COUNTED)
      await untilOnline((inner) => transport.pause(attempt, error, inner), signal)
    }
  }
}

/** Waits, but no longer than until the network is back or the signal aborts. */
async function untilOnline(wait: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
  const enough = new AbortController()
  const end = (): void => enough.abort()
  const target = globalThis as Partial<Pick<EventTarget, "addEventListener" | "removeEventListener">>
  target.addEventListener?.("online", end)
  signal.addEventListener("abort", end)
  try {
    await wait(enough.signal)
  } catch (error) {
    if (!enough.signal.aborted) throw error
  } finally {
    target.removeEventListener?.("online", end)
    signal.removeEventListener("abort", end)
  }
}
