import { type EntityUrl, type Json, RouseError } from "@rouse/protocol"
import type { Timer } from "@rouse/store"
import type { Plane } from "./plane.ts"
import { signal } from "./signals.ts"
import type { TimedTree } from "./tree-signals.ts"

/** Children signalled at a time. */
const TREE_BATCH = 64

/** Signals the next children of an entity. */
export async function fireTree(plane: Plane, timer: Timer, payload: TimedTree): Promise<void> {
  const rows = await plane.transactor.rows(timer.url, "child")
  const batch = rows.filter((row) => row.key > payload.after).slice(0, TREE_BATCH)
  await Promise.all(batch.map((row) => signalChild(plane, timer.url, row.key, payload)))
  const last = batch.at(-1)
  const isOver = last === undefined || last.key === rows.at(-1)?.key
  const moved = { ...timer, payload: { ...payload, after: last?.key ?? "" } as unknown as Json }
  await plane.store.commit({
    guards: [{ kind: "timer", id: timer.id }],
    ops: [isOver ? { op: "deleteTimer", id: timer.id } : { op: "putTimer", timer: moved }],
  })
  plane.dueAt(plane.clock())
}

async function signalChild(plane: Plane, parent: EntityUrl, url: EntityUrl, payload: TimedTree): Promise<void> {
  const record = await plane.transactor.record(url)
  // One that was removed, or made again by somebody else, is no child.
  if (record?.parent !== parent) return
  const { name, from } = payload
  try {
    await signal(plane, { to: url, from, name, payload: { tree: true }, parent }, () => undefined)
  } catch (error) {
    if (!RouseError.is(error, "UNKNOWN_ENTITY")) throw error
  }
}
