import type { ChangeEvent } from "./change.ts"
import type { Offset } from "./offset.ts"

/** What one commit wrote to an entity's log, and where the log stood after it: there it can be forked, or its state be looked at. */
export interface LogBatchAt {
  readonly offset: Offset
  readonly events: readonly ChangeEvent[]
}

/** `GET /v1/entities/{type}/{id}/log` */
export interface LogPageQuery {
  /** The `before` of the page after it. The log's end when absent. */
  readonly before?: Offset
  /** How many events there may be, but for those of the last batch that is taken: 1 to 1,000; 200 when absent. */
  readonly limit?: number
  /** Only changes of this collection. */
  readonly collection?: string
  /** Only changes of the row with this key. */
  readonly key?: string
}

/** A part of an entity's log, read from its end. */
export interface LogPage {
  /** In the order of the log. */
  readonly batches: readonly LogBatchAt[]
  /** Present when there may be more before it. A page with none that match may have this too: only so much is looked at at once. */
  readonly before?: Offset
}
