import { RouseError } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import type { Op } from "../commit.ts"
import type { PutPinOp, PutSnapshotOp, TrimStreamOp } from "../retention.ts"
import { encodeOffset, parseOffset } from "./offset.ts"
import type { Overlay } from "./overlay.ts"
import { unknownStream } from "./stream-state.ts"
import type { StreamState } from "./stream-state.ts"

/**
 * What is kept of a stream's past: snapshots, the horizon, and the pins that hold it back.
 *
 * 1. The horizon only grows. It is the end of a batch and never the tail: a stream keeps its last batch, by which its tail is known.
 * 2. No pin is ever below the horizon: a trim asks for the pins, a pin for the horizon, in the same total order.
 * 3. A snapshot at the horizon is kept with it: with the batches since, it gives every state from there on.
 */
export type RetentionWrite =
  | { readonly kind: "putSnapshot"; readonly state: StreamState; readonly at: number; readonly data: Uint8Array }
  | { readonly kind: "trimStream"; readonly state: StreamState; readonly data: Uint8Array | undefined }
  | { readonly kind: "putPin"; readonly stream: number; readonly holder: string; readonly at: number }
  | { readonly kind: "dropPin"; readonly stream: number; readonly holder: string }

/** @throws {RouseError} `UNKNOWN_STREAM`, `BAD_OFFSET`, `GONE`. */
export function planSnapshot(view: Overlay, op: PutSnapshotOp): RetentionWrite {
  const state = knownState(view, op.path)
  const at = keptPosition(state, op.at)
  return { kind: "putSnapshot", state, at, data: op.data }
}

/**
 * The state with its horizon raised, already laid over the view; undefined when there is nothing to do.
 *
 * @throws {RouseError} `UNKNOWN_STREAM`, `BAD_OFFSET`, `CONFLICT` when a pin needs what would go.
 */
export function planTrim(view: Overlay, op: TrimStreamOp): RetentionWrite | undefined {
  const before = knownState(view, op.path)
  const to = parseOffset(before.incarnation, op.to)
  if (to !== undefined && to <= before.horizon) return undefined
  if (to === undefined || to >= before.tail || !view.hasBatchEnd(before.id, to)) throw badOffset(before, op.to)
  const pinned = view.pinned(before.id)
  if (pinned !== undefined && pinned < to) {
    throw new RouseError("CONFLICT", `the stream ${op.path} is still needed from ${offsetAt(before, pinned)} on`, {
      details: { path: op.path, pinned: offsetAt(before, pinned) },
    })
  }
  const state = { ...before, horizon: to }
  view.setStream(op.path, state)
  return { kind: "trimStream", state, data: op.data }
}

/** @throws {RouseError} for a new pin `UNKNOWN_STREAM`, `BAD_OFFSET`, `GONE`. */
export function planPin(
  view: Overlay,
  op: PutPinOp | Extract<Op, { readonly op: "dropPin" }>,
): RetentionWrite | undefined {
  if (op.op === "dropPin") {
    const state = view.stream(op.path)
    return state === undefined ? undefined : { kind: "dropPin", stream: state.id, holder: op.holder }
  }
  const state = knownState(view, op.path)
  const at = keptPosition(state, op.at)
  view.setPin(state.id, at)
  return { kind: "putPin", stream: state.id, holder: op.holder, at }
}

export function goneBelow(state: StreamState, offset: Offset): RouseError {
  const horizon = offsetAt(state, state.horizon)
  return new RouseError(
    "GONE",
    `the stream ${state.path} is kept from ${horizon} on: read on from there, or begin with a snapshot`,
    { details: { path: state.path, offset, horizon } },
  )
}

export function badOffset(state: StreamState, offset: Offset): RouseError {
  return new RouseError("BAD_OFFSET", `${offset} is not an offset of the stream ${state.path}`, {
    details: { path: state.path, offset },
  })
}

function knownState(view: Overlay, path: string): StreamState {
  const state = view.stream(path)
  if (state === undefined) throw unknownStream(path)
  return state
}

function keptPosition(state: StreamState, offset: Offset): number {
  const position = parseOffset(state.incarnation, offset)
  if (position === undefined || position > state.tail) throw badOffset(state, offset)
  if (position < state.horizon) throw goneBelow(state, offset)
  return position
}

function offsetAt(state: StreamState, position: number): Offset {
  return encodeOffset(state.incarnation, position)
}
