import type { StreamOutcome } from "../commit.ts"
import type { AppendOp, CreateStreamOp, ForkStreamOp } from "../stream-ops.ts"
import { decideAppend } from "./append.ts"
import { decideCreate } from "./create.ts"
import type { Draft } from "./draft.ts"
import { decideFork } from "./fork.ts"
import { withPlanned } from "./planned-batches.ts"
import { absence, isAlive, newStream, outcomeOf, renewed } from "./stream-state.ts"
import type { ProducerClaim, StreamState } from "./stream-state.ts"

/** What a commit does to streams. */

/** @throws {RouseError} as `decideCreate`. */
export function planCreate(draft: Draft, op: CreateStreamOp): void {
  const existing = draft.view.stream(op.path)
  const decision = decideCreate(existing, op)
  if (decision === "exists" && existing !== undefined) {
    draft.streams[op.path] = { ...outcomeOf(existing), created: false }
    return
  }
  replace(draft, existing)
  const identity = draft.view.newStream()
  insert(draft, newStream(identity.id, identity.incarnation, op), op.data, op.nowMs)
}

/** @throws {RouseError} as `decideFork`. */
export function planFork(draft: Draft, op: ForkStreamOp): void {
  const decision = decideFork(op, withPlanned(draft.view, draft.writes))
  if (decision.kind === "exists") {
    draft.streams[op.path] = { ...outcomeOf(decision.state), created: false }
    return
  }
  replace(draft, draft.view.stream(op.path))
  const identity = draft.view.newStream()
  const fork = decision.build(identity.id, identity.incarnation)
  const source = countForks(draft, op.source, 1)
  draft.view.setPin(source.id, source.horizon)
  insert(draft, fork, op.data, op.nowMs)
}

/** @throws {RouseError} as `decideAppend`. */
export function planAppend(draft: Draft, op: AppendOp): "done" | "duplicate" {
  const state = draft.view.stream(op.path)
  const producer =
    op.producer === undefined || state === undefined ? undefined : draft.view.producer(state.id, op.producer.id)
  const decision = decideAppend(state, producer, op)
  if (decision.kind === "duplicate") return "duplicate"
  appendTo(draft, state, decision.next, op)
  return "done"
}

export function planTouch(draft: Draft, path: string, nowMs: number): void {
  const state = draft.view.stream(path)
  if (!isAlive(state, nowMs)) return
  const next = renewed(state, nowMs)
  if (next !== state) update(draft, next)
}

/** @throws {RouseError} `UNKNOWN_STREAM`, `GONE`. */
export function planDelete(draft: Draft, path: string): void {
  const state = draft.view.stream(path)
  if (state === undefined || state.deleted) throw absence(path, state)
  draft.gone(path)
  delete draft.streams[path]
  if (state.forks === 0) drop(draft, state)
  else update(draft, { ...state, deleted: true, diesAtMs: null })
}

/** The answer to a commit that was applied before: its streams as they are. */
export function repeatedStreams({ commit, view }: Draft): Record<string, StreamOutcome> {
  const before = view.base
  const streams: Record<string, StreamOutcome> = {}
  for (const op of commit.ops) {
    if (op.op !== "append" && op.op !== "createStream" && op.op !== "forkStream") continue
    const state = before.stream(op.path)
    if (state === undefined) continue
    const producer =
      op.op === "append" && op.producer !== undefined ? before.producer(state.id, op.producer.id) : undefined
    streams[op.path] = { ...outcomeOf(state), ...(producer === undefined ? {} : { producer }) }
  }
  return streams
}

/** Makes way for a stream where one has expired. */
function replace(draft: Draft, expired: StreamState | undefined): void {
  if (expired === undefined) return
  draft.gone(expired.path)
  drop(draft, expired)
}

function insert(draft: Draft, state: StreamState, data: Uint8Array | undefined, nowMs: number): void {
  draft.view.setStream(state.path, state)
  draft.write({ kind: "insertStream", state })
  putChunk(draft, state, data)
  draft.grown(state.horizon, state, state.fork === null ? data : undefined, nowMs)
  draft.streams[state.path] = { ...outcomeOf(state), created: true }
}

function update(draft: Draft, state: StreamState): void {
  draft.view.setStream(state.path, state)
  draft.write({ kind: "updateStream", state })
}

/** Changes how many forks a stream has, and returns what it is then. */
function countForks(draft: Draft, path: string, by: 1 | -1): StreamState {
  const state = draft.view.stream(path)
  if (state === undefined) throw new Error(`the source ${path} of a fork is not there`)
  const next = { ...state, forks: state.forks + by }
  update(draft, next)
  return next
}

/** Drops a stream, and those above it that were kept for it alone. There are at most `FORK_DEPTH_MAX` of them. */
function drop(draft: Draft, state: StreamState): void {
  let dropped: StreamState | undefined = state
  while (dropped !== undefined) {
    draft.view.setStream(dropped.path, undefined)
    draft.write({ kind: "dropStream", id: dropped.id })
    const source: StreamState | undefined =
      dropped.fork === null ? undefined : countForks(draft, dropped.fork.source, -1)
    dropped = source?.deleted === true && source.forks === 0 ? source : undefined
  }
}

function putChunk(draft: Draft, state: StreamState, data: Uint8Array | undefined): void {
  if (data === undefined || data.length === 0) return
  draft.write({ kind: "putChunk", stream: state.id, tail: state.tail, data })
}

function appendTo(draft: Draft, before: StreamState | undefined, next: StreamState, op: AppendOp): void {
  draft.streams[op.path] = { ...draft.streams[op.path], ...outcomeOf(next), ...producerOutcome(op.producer) }
  if (next === before) return
  draft.view.setStream(op.path, next)
  putChunk(draft, next, op.data)
  if (op.silent !== true) draft.grown(before?.tail ?? 0, next, op.data, op.nowMs)
  const changed = next.closed || next.streamSeq !== before?.streamSeq || next.diesAtMs !== before?.diesAtMs
  if (changed) draft.write({ kind: "updateStream", state: next })
  if (op.producer === undefined) return
  draft.view.setProducer(next.id, op.producer)
  draft.write({ kind: "putProducer", stream: next.id, claim: op.producer })
}

function producerOutcome(claim: ProducerClaim | undefined): Pick<StreamOutcome, "producer"> {
  return claim === undefined ? {} : { producer: { epoch: claim.epoch, seq: claim.seq } }
}
