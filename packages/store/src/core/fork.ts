import { RouseError, START } from "@rouse/protocol"
import type { ForkStreamOp } from "../stream-ops.ts"
import { isJson, sameContentType } from "./content-type.ts"
import { jsonPrefixLength } from "./json-prefix.ts"
import { isBoundary, positionOf, segmentAt, segmentsOf } from "./lineage.ts"
import type { LineMember, Segment } from "./lineage.ts"
import { goneBelow } from "./retention.ts"
import { absence, isAlive, newStream, refuseTaken, standingOf } from "./stream-state.ts"
import type { ForkPoint, StreamState } from "./stream-state.ts"

/** How many streams a fork may have above it: a read from its beginning looks at each. */
export const FORK_DEPTH_MAX = 100

/** What a fork's decision looks things up in. */
export interface ForkView {
  stream(path: string): StreamState | undefined
  /** Whether a batch of the stream ends at this position. */
  hasBatchEnd(stream: number, position: number): boolean
  /** The stream's first batch that ends beyond this position. */
  batchAfter(stream: number, position: number): Uint8Array | undefined
}

export type ForkDecision =
  | { readonly kind: "exists"; readonly state: StreamState }
  /** Makes the fork, in place of one that has expired if there is one. */
  | { readonly kind: "create"; readonly build: (id: number, incarnation: string) => StreamState }

/**
 * Decides what a fork does. What is there already is compared with what was asked for, even when the source is no more; only what the
 * request says is compared, since the rest was inherited.
 *
 * @throws {RouseError} as `ForkStreamOp` says.
 * @see Durable Streams Protocol §4.2
 */
export function decideFork(op: ForkStreamOp, view: ForkView): ForkDecision {
  const existing = view.stream(op.path)
  if (existing !== undefined && standingOf(existing, op.nowMs) !== "absent") {
    refuseTaken(existing, op.path, op.nowMs, difference(existing, op, view))
    return { kind: "exists", state: existing }
  }
  const source = sourceOf(op, view)
  const fork = pointOf(source, op, view)
  return { kind: "create", build: (id, incarnation) => newFork(id, incarnation, source, fork, op) }
}

function sourceOf(op: ForkStreamOp, view: ForkView): StreamState {
  const source = view.stream(op.source)
  if (!isAlive(source, op.nowMs)) {
    if (standingOf(source, op.nowMs) === "absent") throw absence(op.source, undefined)
    throw new RouseError("FORK_SOURCE_GONE", `the stream ${op.source} was deleted: only the forks that it has go on`, {
      details: { path: op.source },
    })
  }
  if (op.contentType === undefined || sameContentType(source.contentType, op.contentType)) return source
  throw new RouseError(
    "CONTENT_TYPE_MISMATCH",
    `the stream ${op.source} has ${source.contentType}, and so have its forks, not ${op.contentType}`,
    { details: { path: op.source, expected: source.contentType, received: op.contentType } },
  )
}

function difference(existing: StreamState, op: ForkStreamOp, view: ForkView): string | undefined {
  const { fork } = existing
  if (fork?.source !== op.source) return "source"
  if (op.contentType !== undefined && !sameContentType(existing.contentType, op.contentType)) return "contentType"
  if (op.ttlSeconds !== undefined || op.expiresAtMs !== undefined) {
    if (existing.ttlSeconds !== (op.ttlSeconds ?? null)) return "ttlSeconds"
    if (existing.expiresAtMs !== (op.expiresAtMs ?? null)) return "expiresAtMs"
  }
  if (existing.closed !== (op.closed ?? false)) return "closed"
  if (fork.sub !== (op.subOffset ?? 0)) return "subOffset"
  if (op.offset === undefined) return undefined
  const source = view.stream(fork.source)
  if (source === undefined) throw new Error(`the source ${fork.source} of a fork is not there`)
  return basePosition(segmentsOf(lineOf(source, view), source.tail), op, view) === fork.base ? undefined : "offset"
}

function pointOf(source: StreamState, op: ForkStreamOp, view: ForkView): ForkPoint {
  const line = lineOf(source, view)
  if (line.length > FORK_DEPTH_MAX) {
    throw new RouseError("BAD_REQUEST", `source: ${op.source} has ${FORK_DEPTH_MAX} streams above it, which is all`, {
      details: { field: "source", path: op.source, depthMax: FORK_DEPTH_MAX },
    })
  }
  const segments = segmentsOf(line, source.tail)
  const base = op.offset === undefined ? source.tail : basePosition(segments, op, view)
  if (base < source.horizon) throw goneBelow(source, op.offset ?? START)
  const sub = op.subOffset ?? 0
  const at = sub === 0 ? base : base + prefixLength(source, segments, base, sub, view)
  return { source: source.path, sourceId: source.id, base, sub, at }
}

/** The stream and those it was forked from, itself first. */
export function lineOf(leaf: StreamState, view: Pick<ForkView, "stream">): readonly LineMember[] {
  const line: LineMember[] = []
  let state: StreamState | undefined = leaf
  while (state !== undefined) {
    line.push({ id: state.id, incarnation: state.incarnation, at: state.fork?.at ?? 0 })
    state = state.fork === null ? undefined : view.stream(state.fork.source)
  }
  return line
}

function basePosition(segments: readonly Segment[], op: ForkStreamOp, view: ForkView): number {
  const position = positionOf(segments, op.offset ?? START)
  const isBatchEnd = (stream: number, end: number): boolean => view.hasBatchEnd(stream, end)
  if (position !== undefined && isBoundary(segments, position, isBatchEnd)) return position
  throw new RouseError("BAD_OFFSET", `${op.offset} is not an offset of the stream ${op.source}`, {
    details: { path: op.source, offset: op.offset ?? START },
  })
}

/** Bytes of the first `sub` messages, or of `sub` bytes, of the batch behind a boundary, as far as the source sees it. */
function prefixLength(
  source: StreamState,
  segments: readonly Segment[],
  base: number,
  sub: number,
  view: ForkView,
): number {
  const { stream, end } = segmentAt(segments, base)
  const batch = base < end ? view.batchAfter(stream, base)?.subarray(0, end - base) : undefined
  const unit = isJson(source.contentType) ? "messages" : "bytes"
  const length = batch === undefined ? undefined : unit === "bytes" ? sub : jsonPrefixLength(batch, sub)
  if (batch !== undefined && length !== undefined && length <= batch.length) return length
  throw new RouseError("BAD_OFFSET", `subOffset: there are fewer than ${sub} ${unit} in what was appended there`, {
    details: { field: "subOffset", path: source.path, subOffset: sub },
  })
}

/** Its lifetime is its own: what the request says, or else as long as the source's, from now on. */
function newFork(id: number, incarnation: string, source: StreamState, fork: ForkPoint, op: ForkStreamOp): StreamState {
  const { contentType = source.contentType } = op
  const own = op.ttlSeconds !== undefined || op.expiresAtMs !== undefined
  const { ttlSeconds, expiresAtMs } = own ? op : source
  const made = newStream(id, incarnation, {
    ...op,
    contentType,
    ttlSeconds: ttlSeconds ?? null,
    expiresAtMs: expiresAtMs ?? null,
  })
  return { ...made, tail: fork.at + (op.data?.length ?? 0), horizon: source.horizon, fork }
}
