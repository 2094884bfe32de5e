import { RouseError } from "@rouse/protocol"
import type { CreateStreamOp, StreamOutcome } from "../store.ts"
import { encodeOffset } from "./offset.ts"

/** What the decisions need to know about a stream. */
export interface StreamState {
  readonly id: number
  readonly path: string
  readonly incarnation: string
  readonly contentType: string
  /** Bytes in the stream: the position of the tail. */
  readonly tail: number
  readonly closed: boolean
  /** The producer's append that closed it. */
  readonly closedBy: ProducerClaim | null
  /** The last `Stream-Seq`. Its scope is the stream. */
  readonly streamSeq: string | null
  readonly createdAtMs: number
  readonly ttlSeconds: number | null
  readonly expiresAtMs: number | null
  /** From when on it is as if absent. Follows from the two above. */
  readonly diesAtMs: number | null
}

export interface ProducerClaim {
  readonly id: string
  readonly epoch: number
  readonly seq: number
}

export function isAlive(state: StreamState | undefined, nowMs: number): state is StreamState {
  return state !== undefined && (state.diesAtMs === null || state.diesAtMs > nowMs)
}

export function outcomeOf(state: StreamState): StreamOutcome {
  return { next: encodeOffset(state.incarnation, state.tail), closed: state.closed }
}

export function unknownStream(path: string): RouseError {
  return new RouseError("UNKNOWN_STREAM", `there is no stream ${path}`, { details: { path } })
}

/** The stream with its time to live begun anew; the same object when it has none. An absolute expiry stays. */
export function renewed(state: StreamState, nowMs: number): StreamState {
  return state.ttlSeconds === null ? state : { ...state, diesAtMs: nowMs + state.ttlSeconds * 1_000 }
}

/** The state of a stream that is made now, before its initial data. */
export function newStream(id: number, incarnation: string, op: CreateStreamOp): StreamState {
  const ttlSeconds = op.ttlSeconds ?? null
  const expiresAtMs = op.expiresAtMs ?? null
  return {
    id,
    path: op.path,
    incarnation,
    contentType: op.contentType,
    tail: op.data?.length ?? 0,
    closed: op.closed ?? false,
    closedBy: null,
    streamSeq: null,
    createdAtMs: op.nowMs,
    ttlSeconds,
    expiresAtMs,
    diesAtMs: ttlSeconds === null ? expiresAtMs : op.nowMs + ttlSeconds * 1_000,
  }
}
