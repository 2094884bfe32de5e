import { RouseError } from "@rouse/protocol"

/**
 * A body in parts of one size, but for the last: no more than one of them is in memory, and a piece of the body.
 *
 * @throws {RouseError} `BAD_REQUEST` when the body breaks off.
 */
export async function* partsOf(body: ReadableStream<Uint8Array> | null, partBytes: number): AsyncGenerator<Uint8Array> {
  if (body === null) return
  let part = new Uint8Array(partBytes)
  let filled = 0
  for await (const piece of piecesOf(body)) {
    for (let at = 0; at < piece.length;) {
      const taken = Math.min(piece.length - at, partBytes - filled)
      part.set(piece.subarray(at, at + taken), filled)
      filled += taken
      at += taken
      if (filled < partBytes) continue
      yield part
      part = new Uint8Array(partBytes)
      filled = 0
    }
  }
  if (filled > 0) yield part.slice(0, filled)
}

async function* piecesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  let ended = false
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        ended = true
        if (RouseError.is(cause)) throw cause
        throw new RouseError("BAD_REQUEST", "the body broke off before its end", { cause })
      })
      if (done) {
        ended = true
        return
      }
      yield value
    }
  } finally {
    if (!ended) await reader.cancel().catch(() => undefined)
  }
}
