import { useSyncExternalStore } from "react"

/** One clock for every relative time on the page; it stands still while nobody looks. */
const TICK_MS = 1_000
const listeners = new Set<() => void>()
let nowMs = Date.now()
let timer: ReturnType<typeof setInterval> | undefined

function tick(): void {
  nowMs = Date.now()
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= setInterval(tick, TICK_MS)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

/** Something made of the time: the component is drawn again only when it reads differently. */
export function useClock(read: (nowMs: number) => string): string {
  return useSyncExternalStore(subscribe, () =>
    read(timer === undefined ? (nowMs = Math.max(nowMs, secondOf(Date.now()))) : nowMs),
  )
}

const secondOf = (ms: number): number => Math.floor(ms / TICK_MS) * TICK_MS
