import { RouseError, START } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import type { Keep, Store, StreamInfo, Trimmable } from "@rouse/store"
import type { Clock } from "../clock.ts"
import { LiveRows } from "../core/live-rows.ts"
import type { MergeRow } from "../core/live-rows.ts"
import { isJson } from "../core/media-type.ts"
import { fold } from "../snapshot/fold.ts"
import { LIVE_SIZE_MAX } from "../snapshot/snapshots.ts"

/** Bytes that one trim takes away, or as many as the stream's snapshot has. */
const SLICE_BYTES = 16 * 1024 * 1024

export interface Trimming {
  readonly store: Store
  readonly clock: Clock
  readonly path: string
  /** What stays, beside the last batch. */
  readonly keep: Omit<Keep, "nowMs">
  readonly merge?: MergeRow | undefined
  /** Less than this is left as it is, and less than the snapshot that would be written. */
  readonly bytesMin: number
  /** Whether the past has to go: also when little is gained, and without a snapshot where there is too much for one. */
  readonly must?: boolean
}

/**
 * Takes a part of a stream's past away: its state at a later offset takes the place of all before it. One commit.
 *
 * @returns From where on the stream is kept now; undefined when there was nothing to take.
 * @throws {RouseError} `UNKNOWN_STREAM`; `CONFLICT` when somebody came to need it meanwhile.
 */
export async function trimStream(trimming: Trimming): Promise<Offset | undefined> {
  const { store, clock, path, keep, bytesMin, must = false } = trimming
  const there = await store.trimmable(path, { nowMs: clock.now(), ...keep })
  const info = await store.stream(path)
  if (there === undefined || info === undefined || there.bytes < bytesMin) return undefined
  const base = info.horizon === undefined ? undefined : await store.snapshot(path, info.horizon)
  if (!must && base !== undefined && there.bytes < base.data.length) return undefined
  const isLost = info.horizon !== undefined && base === undefined
  const state = isLost || !isJson(info.contentType) ? undefined : await stateAt(trimming, info, there, base?.data)
  const to = state?.to ?? there.to
  await store.commit({ ops: [{ op: "trimStream", path, ...state, to }] })
  return to
}

/** The stream's state at where it can be trimmed to, or some way there; undefined when it has none: it is no State Protocol stream. */
async function stateAt(
  { store, clock, merge, must = false }: Trimming,
  { path, horizon = START }: StreamInfo,
  { to, bytes }: Trimmable,
  base: Uint8Array | undefined,
): Promise<{ readonly to: Offset; readonly data: Uint8Array } | undefined> {
  const rows = new LiveRows(LIVE_SIZE_MAX, merge)
  const bytesMax = Math.min(bytes, Math.max(SLICE_BYTES, base?.length ?? 0))
  try {
    if (base !== undefined) rows.apply(base)
    const { result } = await fold(store, clock, rows, path, { from: horizon, to, bytesMax })
    return { to: result.next, data: rows.frame() }
  } catch (error) {
    if (RouseError.is(error, "BAD_REQUEST") || (must && RouseError.is(error, "TOO_LARGE"))) return undefined
    throw error
  }
}
