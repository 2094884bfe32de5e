import type { Store } from "@rouse/store"
import type { Clock } from "./clock.ts"
import type { FrameCache } from "./live/frame-cache.ts"
import type { Readers } from "./live/readers.ts"
import type { Touches } from "./live/touches.ts"
import type { Limits, StreamsOptions } from "./options.ts"
import type { Snapshots } from "./snapshot/snapshots.ts"

/** What every operation works with. */
export interface Context {
  readonly store: Store
  readonly clock: Clock
  readonly random: () => number
  readonly limits: Limits
  readonly readers: Readers
  readonly frames: FrameCache
  readonly touches: Touches
  readonly snapshots: Snapshots
  /** What stream URLs begin with. */
  readonly basePath: string
  readonly guard: StreamsOptions["guard"]
  readonly onError: (error: unknown) => void
}
