import type { HeaderReader } from "./header-reader.ts"
import { invalid, isTrue, parseSequence, parseToken } from "./header-values.ts"
import { parseMediaType } from "./media-type.ts"
import { PRODUCER_EPOCH, PRODUCER_ID, PRODUCER_SEQ, STREAM_CLOSED, STREAM_SEQ } from "./names.ts"

const PRODUCER_ID_BYTES_MAX = 256
const STREAM_SEQ_BYTES_MAX = 256

/** Who appends, and the how-manieth time. Durable Streams Protocol §5.2.1. */
export interface Producer {
  readonly id: string
  readonly epoch: number
  readonly seq: number
}

/** What an append's headers say. */
export interface AppendRequest {
  /** Undefined when the request has none: only a close without a body may lack it. */
  readonly contentType?: string
  readonly close: boolean
  readonly producer?: Producer
  readonly streamSeq?: string
}

/**
 * Reads the headers of an append or close.
 *
 * @throws {RouseError} `BAD_REQUEST` with the header's name.
 * @see Durable Streams Protocol §5.2, §5.2.1
 */
export function parseAppend(headers: HeaderReader): AppendRequest {
  const contentType = contentTypeOf(headers.get("content-type"))
  const producer = producerOf(headers.get(PRODUCER_ID), headers.get(PRODUCER_EPOCH), headers.get(PRODUCER_SEQ))
  const streamSeq = headers.get(STREAM_SEQ)
  return {
    close: isTrue(headers.get(STREAM_CLOSED)),
    ...(contentType === undefined ? {} : { contentType }),
    ...(producer === undefined ? {} : { producer }),
    ...(streamSeq === null ? {} : { streamSeq: parseToken("Stream-Seq", streamSeq, STREAM_SEQ_BYTES_MAX) }),
  }
}

function contentTypeOf(value: string | null): string | undefined {
  if (value === null || value.trim() === "") return undefined
  const mediaType = parseMediaType(value)
  if (mediaType === undefined) throw invalid("Content-Type", "must be a media type such as application/json")
  return mediaType
}

function producerOf(id: string | null, epoch: string | null, seq: string | null): Producer | undefined {
  if (id === null && epoch === null && seq === null) return undefined
  if (id === null || epoch === null || seq === null) {
    throw invalid("Producer-Id", "Producer-Id, Producer-Epoch and Producer-Seq come together or not at all")
  }
  return {
    id: parseToken("Producer-Id", id, PRODUCER_ID_BYTES_MAX),
    epoch: parseSequence("Producer-Epoch", epoch),
    seq: parseSequence("Producer-Seq", seq),
  }
}
