import { keepOffloading } from "@rouse/store"
import type { Compactor } from "@rouse/streams"
import type { IdleExpiry } from "./idle-expiry.ts"
import type { Plane } from "./plane.ts"
import { forgetRows } from "./shared/disown.ts"

/** The pause between two rounds. */
const EVERY_MS = 60_000

/** The pause after a round that found something: there may be more. */
const MORE_MS = 50

/**
 * Has the store drop what is over: expired receipts and streams, the bytes of deleted logs, uploads that were never linked, and history by policy. A little at a time, off every request's path.
 * What is old goes to a bucket, where there is one.
 *
 * @returns What ends it.
 */
export function startSweeper(plane: Plane, compactor: Compactor, idle: IdleExpiry): () => void {
  let open = true
  let cancel = (): void => undefined
  const later = (ms: number): void => {
    cancel = plane.defer(ms, () => void round())
  }
  const round = async (): Promise<void> => {
    let dropped = 0
    try {
      dropped = (await plane.store.sweep(plane.clock())) + (await compactor.step()) + (await idle.step())
      dropped += await forgetRows(plane)
      dropped += await plane.attachments.sweep(plane.clock())
    } catch (error) {
      if (open) plane.log.warn("sweeping failed", { error: String(error) })
    }
    if (open) later(dropped > 0 ? MORE_MS : EVERY_MS)
  }
  later(EVERY_MS)
  const stopOffloading = offloading(plane)
  return () => {
    open = false
    stopOffloading()
    cancel()
  }
}

function offloading({ store: { offload }, clock, defer, log }: Plane): () => void {
  if (offload === undefined) return () => undefined
  const onError = (error: unknown): void => log.warn("offloading to the bucket failed", { error: String(error) })
  return keepOffloading({ offload, clock, defer, onError })
}
