import type { EntityUrl } from "@rouse/protocol"
import type { Page } from "./markdown.ts"

/** What rendering a timeline depends on beside the timeline. */
export interface View extends Page {
  readonly url: EntityUrl
  /** Milliseconds since the Unix epoch: how long something that runs has run. */
  readonly nowMs: number
  /** Whether reasoning is shown whole, not folded. */
  readonly reasoning: boolean
  /** Whether approvals are answered by keys here, and not by another command. */
  readonly answering: boolean
}

/** A piece of a timeline that is printed as a whole. */
export interface Block {
  /** Unique within the timeline. */
  readonly key: string
  readonly lines: readonly string[]
  /** It will not look otherwise: it can be printed for good. */
  readonly settled: boolean
  /** What it says, to know whether a text that was printed was written again otherwise. */
  readonly source?: string
  /** It stands right under the block before when that is tight too, without an empty line. */
  readonly tight?: boolean
}
