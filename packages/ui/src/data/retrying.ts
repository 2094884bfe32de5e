import { RouseError } from "@rouse/client"

const PAUSE_MS_MIN = 500
const PAUSE_MS_MAX = 15_000

/**
 * Keeps something live until the signal aborts: runs it, and after a failure that another try may mend runs it again, later each time.
 * What it does first must bring the page up to date, since things were missed.
 *
 * @param failed Told each failure, and whether there will be another try.
 */
export async function keepLive(
  run: (progress: () => void) => Promise<void>,
  failed: (error: unknown, again: boolean) => void,
  signal: AbortSignal,
): Promise<void> {
  let pauseMs = PAUSE_MS_MIN
  while (!signal.aborted) {
    try {
      await run(() => {
        pauseMs = PAUSE_MS_MIN
      })
    } catch (error) {
      if (signal.aborted) return
      const again = isPassing(error)
      failed(error, again)
      if (!again) return
    }
    await pause(pauseMs * (0.75 + Math.random() / 2), signal)
    pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)
  }
}

/** Whether another try may work: the server was not there, was busy, or made a mistake; not when it said no. */
function isPassing(error: unknown): boolean {
  return !RouseError.is(error) || error.retryable || error.status >= 500
}

/** Waits, but not once the network is back or the signal aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      removeEventListener("online", done)
      signal.removeEventListener("abort", done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    addEventListener("online", done)
    signal.addEventListener("abort", done)
  })
}
