/**
 * Collects what arrives and hands it over once per animation frame, in order.
 *
 * A hidden page paints no frames, so a timer stands in for them: nothing waits longer than `HIDDEN_MS`, and a page that comes back
 * is up to date.
 */
export function createFrameBatch<T>(flush: (items: readonly T[]) => void): {
  push(...items: readonly T[]): void
  close(): void
} {
  let items: T[] = []
  let frame: number | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  const cancel = (): void => {
    if (frame !== undefined) cancelAnimationFrame(frame)
    if (timer !== undefined) clearTimeout(timer)
    frame = undefined
    timer = undefined
  }
  const run = (): void => {
    cancel()
    const ready = items
    items = []
    if (ready.length > 0) flush(ready)
  }
  return {
    push: (...more) => {
      items.push(...more)
      frame ??= requestAnimationFrame(run)
      timer ??= setTimeout(run, HIDDEN_MS)
    },
    close: () => {
      cancel()
      items = []
    },
  }
}

const HIDDEN_MS = 250
