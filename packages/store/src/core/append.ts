import { RouseError } from "@rouse/protocol"
import type { AppendOp } from "../stream-ops.ts"
import { sameContentType } from "./content-type.ts"
import { decideProducer } from "./producer.ts"
import type { ProducerState } from "./producer.ts"
import { absence, isAlive, outcomeOf, renewed } from "./stream-state.ts"
import type { ProducerClaim, StreamState } from "./stream-state.ts"

export type AppendDecision =
  /** Its producer had sent it before: the commit is a no-op. */
  | { readonly kind: "duplicate"; readonly producer: ProducerState }
  /** The stream as it is after the append; the same object when nothing changes. */
  | { readonly kind: "append"; readonly next: StreamState }

/**
 * Decides what an append does to a stream. The checks are in the order in which their answers help a client most: is it there,
 * is it open, is the type right, has it been sent before, does the sequence follow.
 *
 * A close without data of a stream that is closed is done already. A repetition of an accepted append succeeds also after the close.
 *
 * @throws {RouseError} as `Store.commit` says of streams.
 * @see Durable Streams Protocol §5.2, §5.2.1
 */
export function decideAppend(
  state: StreamState | undefined,
  producer: ProducerState | undefined,
  op: AppendOp,
): AppendDecision {
  if (!isAlive(state, op.nowMs)) throw absence(op.path, state)
  if (op.data.length === 0 && op.close !== true) {
    throw new RouseError("BAD_REQUEST", "data: an append must have bytes, or close the stream", {
      details: { path: op.path },
    })
  }
  if (state.closed) return decideOnClosed(state, producer, op)
  if (op.data.length > 0) refuseOtherType(state, op)
  if (op.producer !== undefined && decideProducer(producer, op.producer) === "duplicate") {
    return { kind: "duplicate", producer: producer ?? op.producer }
  }
  refuseRegression(state, op)
  return { kind: "append", next: appended(state, op) }
}

function decideOnClosed(state: StreamState, producer: ProducerState | undefined, op: AppendOp): AppendDecision {
  if (op.producer === undefined && op.data.length === 0) return { kind: "append", next: state }
  if (op.producer !== undefined && producer !== undefined && isRepeated(producer, op.producer)) {
    return { kind: "duplicate", producer }
  }
  throw new RouseError("STREAM_CLOSED", `the stream ${op.path} is closed`, {
    details: { path: op.path, next: outcomeOf(state).next },
  })
}

function isRepeated(known: ProducerState, claim: ProducerClaim): boolean {
  return claim.epoch === known.epoch && claim.seq <= known.seq
}

function refuseOtherType(state: StreamState, op: AppendOp): void {
  if (op.contentType === undefined || sameContentType(state.contentType, op.contentType)) return
  throw new RouseError(
    "CONTENT_TYPE_MISMATCH",
    `the stream ${op.path} has ${state.contentType}, not ${op.contentType}`,
    {
      details: { path: op.path, expected: state.contentType, received: op.contentType },
    },
  )
}

function refuseRegression(state: StreamState, op: AppendOp): void {
  if (op.streamSeq === undefined || state.streamSeq === null || isAfter(op.streamSeq, state.streamSeq)) return
  throw new RouseError("SEQUENCE_REGRESSION", `sequence ${op.streamSeq} is not after ${state.streamSeq}`, {
    details: { path: op.path, last: state.streamSeq, received: op.streamSeq },
  })
}

/** Byte order of the UTF-8 forms, which is the order of code points: `<` compares UTF-16. */
function isAfter(a: string, b: string): boolean {
  let at = 0
  while (at < a.length && a[at] === b[at]) at += 1
  return codePointAround(a, at) > codePointAround(b, at)
}

/** The code point that the code unit at `at` is part of; -1 past the end. */
function codePointAround(text: string, at: number): number {
  const unit = text.charCodeAt(at)
  const isSecondHalf = unit >= 0xdc00 && unit <= 0xdfff
  return text.codePointAt(isSecondHalf && at > 0 ? at - 1 : at) ?? -1
}

function appended(state: StreamState, op: AppendOp): StreamState {
  const closed = op.close === true
  return {
    ...renewed(state, op.nowMs),
    tail: state.tail + op.data.length,
    closed,
    closedBy: closed ? (op.producer ?? null) : null,
    streamSeq: op.streamSeq ?? state.streamSeq,
  }
}
