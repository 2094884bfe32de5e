import type { Json } from "@rouse/protocol"

/**
 * How JSON streams are kept: each message followed by a comma, so that any run of batches, less its last byte and between
 * brackets, is the JSON array that a read must answer.
 *
 * @see Durable Streams Protocol §7.1
 */

const COMMA = 0x2c
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The wire bytes of a batch of messages. */
export function frameJson(messages: readonly unknown[]): Uint8Array {
  let text = ""
  for (const message of messages) text += JSON.stringify(message) + ","
  return encoder.encode(text)
}

/** The body that a read of these batches answers: a JSON array. */
export function joinJson(chunks: readonly Uint8Array[]): Uint8Array {
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  if (length === 0) return encoder.encode("[]")
  const body = new Uint8Array(length + 1)
  body[0] = 0x5b
  let at = 1
  for (const chunk of chunks) {
    body.set(chunk, at)
    at += chunk.length
  }
  if (body[at - 1] !== COMMA) throw new Error("a JSON batch does not end in a comma")
  body[at - 1] = 0x5d
  return body
}

/** The messages of these batches. */
export function parseJson(chunks: readonly Uint8Array[]): Json[] {
  return JSON.parse(decoder.decode(joinJson(chunks))) as Json[]
}
