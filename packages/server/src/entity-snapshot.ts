import { entityOfStream, mergeDelta, RouseError } from "@rouse/protocol"
import type { ChangeEvent, DeltaRow } from "@rouse/protocol"
import { frameJson, parseJson } from "@rouse/store"
import type { LiveRow, LiveRows, Store } from "@rouse/store"
import type { MergeRow, SnapshotRows } from "@rouse/streams"
import { Recent } from "./core/recent.ts"
import { orderRows } from "./core/snapshot-order.ts"

/** How much of the log's end is looked through at a time, in bytes. */
const WINDOW_BYTES = 64 * 1024
/** How much of it at most, where nothing streams or what streams is that long. */
const LOOK_BYTES_MAX = 4 * 1024 * 1024

const encoder = new TextEncoder()

/**
 * An entity's log as its live rows, which the store keeps, with what is streaming now. Costs what is live: nothing of the log is read but
 * its end.
 *
 * @returns undefined when the stream is no entity's log.
 */
export async function entitySnapshot(store: Store, path: string): Promise<SnapshotRows | undefined> {
  const url = entityOfStream(path)
  const live = url === undefined ? undefined : await store.liveRows(url, path)
  if (live === undefined || live.rows.length === 0) return undefined
  const recent = await recentOf(store, path, live)
  const rows = encoder.encode(orderRows(live.rows).map(framed).join(""))
  const data = new Uint8Array(rows.length + recent.length)
  data.set(rows)
  data.set(recent, rows.length)
  return { info: live.info, data }
}

/** How a compacted log keeps the text of parts that were streaming: whole, where each change has a piece. */
export function mergeOfEntity(path: string): MergeRow | undefined {
  return entityOfStream(path) === undefined ? undefined : mergeEntityRow
}

function mergeEntityRow(type: string, before: string | undefined, next: string): string | undefined {
  if (type !== "delta" || before === undefined) return undefined
  return JSON.stringify(mergeDelta(JSON.parse(before) as DeltaRow, JSON.parse(next) as DeltaRow))
}

async function recentOf(store: Store, path: string, { info, rows }: LiveRows): Promise<Uint8Array> {
  const recent = new Recent(rows.filter(isRunningStep).map(({ key }) => key))
  let at = info.next
  for (let looked = 0; looked < LOOK_BYTES_MAX && !recent.done;) {
    const { chunks, start } = await store.readBack(path, at, WINDOW_BYTES).catch(nothingKept)
    if (chunks.length === 0) break
    recent.before(parseJson(chunks) as unknown as ChangeEvent[])
    looked += chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    at = start
  }
  return frameJson(recent.changes())
}

/** Trimmed or deleted since the rows were read: they stand for themselves. */
function nothingKept(error: unknown): { readonly chunks: readonly []; readonly start: LiveRows["info"]["next"] } {
  if (RouseError.is(error, "GONE", "UNKNOWN_STREAM", "BAD_OFFSET")) return { chunks: [], start: "" as never }
  throw error
}

function isRunningStep({ collection, json }: LiveRow): boolean {
  return collection === "step" && (JSON.parse(json) as { readonly status: string }).status === "running"
}

function framed({ collection, key, json }: LiveRow): string {
  return `{"type":${JSON.stringify(collection)},"key":${JSON.stringify(key)},"value":${json},"headers":{"operation":"insert"}},`
}
