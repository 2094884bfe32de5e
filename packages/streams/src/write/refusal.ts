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
  if (!RouseError.is(error)) throw error
  switch (error.code) {
    case "STALE_PRODUCER":
      return problemReply(error, { [PRODUCER_EPOCH]: String(error.details["epoch"]) })
    case "SEQUENCE_GAP":
      return problemReply(error, {
        [PRODUCER_EXPECTED_SEQ]: String(error.details["expected"]),
        [PRODUCER_RECEIVED_SEQ]: String(op.producer?.seq),
      })
    case "STREAM_CLOSED":
      return problemReply(error, { [STREAM_CLOSED]: "true", [STREAM_NEXT_OFFSET]: String(error.details["next"]) })
    default:
      throw error
  }
}
