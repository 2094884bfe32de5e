import { controlOf } from "../core/control.ts"
import type { Plane } from "../plane.ts"
import type { RunningWake } from "./runner.ts"

/**
 * Waits for the end of a wake whose handler keeps its lease by itself: its finish through this process, or the loss of its lease. One look
 * a lease's time, so that a wake which ended through another process is noticed too.
 */
export async function detachedEnd(plane: Plane, wake: RunningWake): Promise<void> {
  while (!wake.over.aborted && !wake.signal.aborted) {
    await new Promise<void>((resolve) => {
      const cancel = plane.defer(plane.limits.remoteLeaseMs, resolve)
      const end = (): void => {
        cancel()
        resolve()
      }
      wake.over.addEventListener("abort", end, { once: true })
      wake.signal.addEventListener("abort", end, { once: true })
    })
    if (wake.over.aborted) return
    const record = await plane.store.entity(wake.lease.url)
    if (!record || record.epoch !== wake.lease.wake.epoch || controlOf(record).wake.phase.kind !== "running") return
  }
}
