import type { Json, Principal, Signal } from "@rouse/protocol"
import type { CommitDraft, EntityDraft } from "./core/draft.ts"
import type { Plane } from "./plane.ts"

/**
 * Signals that travel down a tree of entities: what is planned with each, and, in `tree-descent.ts`, the next level.
 *
 * ```
 * signal(root, tree) ──commit: root signalled, timer(root)──▶ ticker ──each child──▶ commit: child signalled, timer(child) ──▶ …
 * ```
 *
 * Invariants:
 * 1. An entity that was signalled has a timer until each of its children was: a crash in the middle loses none.
 * 2. A parent is signalled before its children, so that it makes no more of them and is not roused by their ends.
 * 3. Signals for the children of one entity go in the order in which they were given.
 */

const VERSION_DIGITS = 16

/** What the timer of a signal on its way down holds. */
export interface TimedTree {
  readonly kind: "tree"
  readonly name: Signal
  readonly from: Principal
  /** Children up to this key have been signalled. */
  readonly after: string
}

/** Whether a signal is for the whole tree below an entity. */
export function isForTree(payload: Json | undefined): boolean {
  return typeof payload === "object" && payload !== null && (payload as { readonly tree?: Json }).tree === true
}

/** Adds to the commit that signals an entity that its children are to be signalled too. */
export async function planTree(
  plane: Plane,
  draft: CommitDraft,
  entity: EntityDraft,
  name: Signal,
  from: Principal,
): Promise<void> {
  if ((await plane.transactor.rows(entity.url, "child")).length === 0) return
  const payload: TimedTree = { kind: "tree", name, from, after: "" }
  // Sorted by id, the timers of one entity are in the order of its versions.
  const id = `tree:${entity.url}:${String(entity.version).padStart(VERSION_DIGITS, "0")}`
  const timer = { id, dueAtMs: draft.nowMs, url: entity.url, payload: payload as unknown as Json }
  draft.also({ op: "putTimer", timer })
}
