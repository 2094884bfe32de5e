import { RouseError } from "@rouse/protocol"

const COMMA = 0x2c

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const EMPTY = new Uint8Array(0)

/**
 * A JSON body in the store's wire bytes (see `frameJson`): one array level flattened, each message followed by a comma.
 *
 * The messages keep their own bytes. Writing parsed values again would change what was sent: `1e400`, 20-digit numbers and repeated
 * keys do not survive it.
 *
 * @param allowEmpty Whether `[]` means no messages (on create) or is refused (on append).
 * @throws {RouseError} `BAD_JSON`; `BAD_REQUEST` for an empty array.
 * @see Durable Streams Protocol §7.1
 */
export function batchOfJson(body: Uint8Array, allowEmpty: boolean): Uint8Array {
  const value = parse(body)
  if (!Array.isArray(value)) return withComma(trim(body))
  if (value.length > 0) return withComma(trim(trim(body).subarray(1, -1)))
  if (allowEmpty) return EMPTY
  throw new RouseError("BAD_REQUEST", "body: an empty array appends nothing; send at least one message")
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(body))
  } catch (cause) {
    throw new RouseError("BAD_JSON", "body: the stream keeps JSON messages, and this is not valid JSON in UTF-8", {
      cause,
    })
  }
}

function withComma(messages: Uint8Array): Uint8Array {
  const batch = new Uint8Array(messages.length + 1)
  batch.set(messages)
  batch[messages.length] = COMMA
  return batch
}

/** Without the white space around it. Arrays lose theirs inside the brackets too. */
function trim(bytes: Uint8Array): Uint8Array {
  let start = 0
  let end = bytes.length
  while (start < end && isSpace(bytes[start])) start++
  while (end > start && isSpace(bytes[end - 1])) end--
  return bytes.subarray(start, end)
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d
}
