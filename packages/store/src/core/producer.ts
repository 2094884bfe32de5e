import { RouseError } from "@rouse/protocol"
import type { ProducerClaim } from "./stream-state.ts"

/** What a stream remembers of an idempotent producer. */
export interface ProducerState {
  readonly epoch: number
  /** The highest sequence accepted under this epoch. */
  readonly seq: number
}

/**
 * Decides whether a producer's append is new or a repetition.
 *
 * @throws {RouseError} `STALE_PRODUCER` (`details.epoch` is the newest), `BAD_REQUEST` when a new epoch does not start at 0,
 *   `SEQUENCE_GAP` (`details.expected`, `details.received`).
 * @see Durable Streams Protocol §5.2.1
 */
export function decideProducer(known: ProducerState | undefined, claim: ProducerClaim): "accept" | "duplicate" {
  if (known === undefined) return claim.seq === 0 ? "accept" : refuseGap(0, claim)
  if (claim.epoch < known.epoch) {
    throw new RouseError(
      "STALE_PRODUCER",
      `epoch ${claim.epoch} of producer ${claim.id} is older than ${known.epoch}`,
      {
        details: { epoch: known.epoch },
      },
    )
  }
  if (claim.epoch > known.epoch) return claim.seq === 0 ? "accept" : refuseStart(claim)
  if (claim.seq <= known.seq) return "duplicate"
  return claim.seq === known.seq + 1 ? "accept" : refuseGap(known.seq + 1, claim)
}

function refuseGap(expected: number, claim: ProducerClaim): never {
  throw new RouseError("SEQUENCE_GAP", `producer ${claim.id} sent sequence ${claim.seq} where ${expected} is next`, {
    details: { expected, received: claim.seq },
  })
}

function refuseStart(claim: ProducerClaim): never {
  throw new RouseError("BAD_REQUEST", `the new epoch ${claim.epoch} of producer ${claim.id} must start at sequence 0`, {
    details: { expected: 0, received: claim.seq },
  })
}
