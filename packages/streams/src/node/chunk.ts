const CRLF = Buffer.from("\r\n")

/** The bytes of a feed as a chunk: made once for all the readers that are sent the same. */
const chunks = new WeakMap<Uint8Array, Uint8Array>()

/** Behind the last chunk, without trailers. */
export const LAST_CHUNK = "0\r\n\r\n"

export function chunkOf(bytes: Uint8Array): Uint8Array {
  const known = chunks.get(bytes)
  if (known !== undefined) return known
  const chunk = Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, CRLF])
  chunks.set(bytes, chunk)
  return chunk
}
