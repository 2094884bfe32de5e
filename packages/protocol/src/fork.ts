import type { Budget } from "./budget.ts"
import type { Spawned } from "./api.ts"
import type { EntityUrl } from "./entity.ts"
import type { Json } from "./json.ts"
import type { Offset } from "./offset.ts"

/** Where a fork's history leaves another entity's. */
export interface ForkPoint {
  readonly url: EntityUrl
  readonly offset: Offset
}

/** `POST /v1/entities/{type}/{id}/fork` */
export interface ForkBody {
  /** An offset of the entity's log; its end when absent. */
  readonly at?: Offset
  /** Made up when absent. */
  readonly id?: string
  /** Its children too, and theirs, as they were at the time of that point. */
  readonly tree?: boolean
  /** The fork's first message: it rouses it. */
  readonly message?: Json
  /** Rouses it without a message: the run that was open goes on. */
  readonly run?: boolean
  readonly tags?: Readonly<Record<string, string>>
  /** The original's limits anew when absent. */
  readonly budget?: Budget
  /** Takes over schedules that have a rule. */
  readonly schedules?: boolean
}

/** What a fork gets: `201`, or `200` when the same request already did. */
export interface Forked extends Spawned {
  readonly from: ForkPoint
  /** Who became whom, in a fork of a tree. */
  readonly forks: Readonly<Record<EntityUrl, EntityUrl>>
}

/** A fork that a handler makes of its own entity: a child of it, without the run under way. */
export interface ForkRequest {
  readonly id: string
  /** What its last commit left when absent. */
  readonly at?: Offset
  readonly message?: Json
  readonly wake: "finished" | "never"
  readonly tags?: Readonly<Record<string, string>>
  /** Taken from what its parent has left. */
  readonly budget?: Budget
}
