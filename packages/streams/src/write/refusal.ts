import { RouseError } from "@rouse/protocol"
import type { AppendOp } from "@rouse/store"
import {
  PRODUCER_EPOCH,
  PRODUCER_EXPECTED_SEQ,
  PRODUCER_RECEIVED_SEQ,
  STREAM_CLOSED,
  STREAM_NEXT_OFFSET,
} from "../core/names.ts"
import type { Reply } from "../reply.ts"
import { problemReply } from "../reply.ts"

/**
 * The answer to an append that the store refused, with the headers by which a writer finds its way on.
 *
 * @see Durable Streams Protocol §5.2.1
 */
export function refusal(op: AppendOp, error: unknown): Reply {
  if (RouseError.is(error, "STALE_PRODUCER")) return problemReply(error, { [PRODUCER_EPOCH]: fact(error, "epoch") })
  if (RouseError.is(error, "STREAM_CLOSED")) {
    return problemReply(error, { [STREAM_CLOSED]: "true", [STREAM_NEXT_OFFSET]: fact(error, "next") })
  }
  if (RouseError.is(error, "SEQUENCE_GAP")) {
    return problemReply(error, {
      [PRODUCER_EXPECTED_SEQ]: fact(error, "expected"),
      [PRODUCER_RECEIVED_SEQ]: String(op.producer?.seq),
    })
  }
  throw error
}

function fact(error: RouseError, name: string): string {
  return String(error.details[name])
}
