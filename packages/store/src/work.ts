import type { EntityUrl, Json } from "@rouse/protocol"

/**
 * What waits outside any process: a call that a worker is to take, a question to a person. A row in the store and nothing else, however
 * many there are.
 */
export interface WorkItem {
  readonly id: string
  /** Whom it waits for. */
  readonly queue: string
  /** What kind of thing it is, of those in the queue. */
  readonly name: string
  /** The entity it belongs to, and goes with. */
  readonly url: EntityUrl
  /** Whether it may be taken now. */
  readonly open: boolean
  /** Its place among the others of its queue: the smallest is first. */
  readonly position: number
  /** Opaque to the store. */
  readonly payload: Json
}

export interface WorkRecord extends WorkItem {
  /** Grows by one with every put: the compare-and-set token. */
  readonly version: number
}

export type WorkOp =
  /** Inserts or replaces the item; its stored version is the old one plus 1. */
  { readonly op: "putWork"; readonly item: WorkItem } | { readonly op: "dropWork"; readonly id: string }

/** The item has this version; 0: there is none. */
export interface WorkGuard {
  readonly kind: "work"
  readonly id: string
  readonly version: number
}

export interface WorkReads {
  work(id: string): Promise<WorkRecord | undefined>

  /** Items of one queue and name that may be taken, by position and then id. */
  openWork(queue: string, name: string, limit: number): Promise<readonly WorkRecord[]>

  /** How many of one queue and name may not be taken: they are held, or wait for a time. */
  closedWork(queue: string, name: string): Promise<number>

  /** A queue's items, open or not, by position and then id. */
  workPage(filter: WorkFilter): Promise<WorkPage>
}

export interface WorkFilter {
  readonly queue: string
  readonly name?: string
  /** Only of entities whose address begins so. */
  readonly urlPrefix?: string
  /** The `next` of the page before. */
  readonly after?: string
  readonly limit: number
}

export interface WorkPage {
  readonly items: readonly WorkRecord[]
  /** Present when there are more. */
  readonly next?: string
}
