import { RouseError } from "@rouse/protocol"
import type { StreamOutcome } from "../commit.ts"
import type { CreateStreamOp } from "../stream-ops.ts"
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
  /** Batches before this position are no longer kept. */
  readonly horizon: number
  /** From when on it is as if absent. Follows from the two above. */
  readonly diesAtMs: number | null
  /** Where it was forked; null when it began empty. */
  readonly fork: ForkPoint | null
  /** Forks of it that are kept. While there are any, it is kept too. */
  readonly forks: number
  /** Deleted, but kept for its forks. */
  readonly deleted: boolean
}

/** Where a stream leaves its source. */
export interface ForkPoint {
  /** The source's path: it stays the source's as long as it has forks. */
  readonly source: string
  readonly sourceId: number
  /** The position that was asked for, and how many bytes or messages beyond it. */
  readonly base: number
  readonly sub: number
  /** The position that follows: from here on the bytes are the fork's own. */
  readonly at: number
}

/** `gone`: deleted or expired, and kept for its forks. `absent`: as if it had never been, whatever is not swept yet. */
export type Standing = "alive" | "gone" | "absent"

export interface ProducerClaim {
  readonly id: string
  readonly epoch: number
  readonly seq: number
}

export function standingOf(state: StreamState | undefined, nowMs: number): Standing {
  if (state === undefined) return "absent"
  if (!state.deleted && (state.diesAtMs === null || state.diesAtMs > nowMs)) return "alive"
  return state.forks > 0 ? "gone" : "absent"
}

export function isAlive(state: StreamState | undefined, nowMs: number): state is StreamState {
  return standingOf(state, nowMs) === "alive"
}

/** The error for a stream that is not alive: it is gone when it is kept for forks, else there is none. */
export function absence(path: string, state: StreamState | undefined): RouseError {
  if (state === undefined || state.forks === 0) return unknownStream(path)
  return new RouseError("GONE", `the stream ${path} was deleted: only its forks go on`, { details: { path } })
}

/**
 * Refuses to make a stream where one is.
 *
 * @param difference The first field in which it is not what was asked for.
 * @throws {RouseError} `ALREADY_EXISTS`.
 */
export function refuseTaken(state: StreamState, path: string, nowMs: number, difference: string | undefined): void {
  if (!isAlive(state, nowMs)) {
    throw new RouseError("ALREADY_EXISTS", `the stream ${path} was deleted, and its path is free when its forks are`, {
      details: { path, field: "deleted" },
    })
  }
  if (difference === undefined) return
  throw new RouseError("ALREADY_EXISTS", `the stream ${path} exists with another ${difference}`, {
    details: { path, field: difference },
  })
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

type NewStream = Pick<CreateStreamOp, "path" | "contentType" | "data" | "closed" | "nowMs"> & {
  readonly ttlSeconds?: number | null
  readonly expiresAtMs?: number | null
}

/** The state of a stream that is made now, before its initial data. */
export function newStream(id: number, incarnation: string, op: NewStream): StreamState {
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
    horizon: 0,
    diesAtMs: ttlSeconds === null ? expiresAtMs : op.nowMs + ttlSeconds * 1_000,
    fork: null,
    forks: 0,
    deleted: false,
  }
}
