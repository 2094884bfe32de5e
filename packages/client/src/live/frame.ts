import type { Clock } from "../clock.ts"

/** The shortest time between two changes that are told: more cannot be painted. */
const FRAME_MS = 16

/**
 * Collects what comes and hands it over at most once per frame, in order. What comes after a pause is handed over at once.
 *
 * @param signal Aborted: nothing is handed over any more.
 */
export function perFrame<T>(
  clock: Clock,
  signal: AbortSignal,
  flush: (items: readonly T[]) => void,
): (item: T) => void {
  let items: T[] = []
  let waiting = false
  const run = (): void => {
    const ready = items
    items = []
    if (ready.length > 0 && !signal.aborted) flush(ready)
  }
  const pause = async (): Promise<void> => {
    waiting = true
    await clock.sleep(FRAME_MS, signal).catch(() => undefined)
    waiting = false
    if (items.length > 0) {
      run()
      await pause()
    }
  }
  return (item) => {
    items.push(item)
    if (waiting) return
    run()
    void pause()
  }
}
