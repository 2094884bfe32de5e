import { RouseError } from "@rouse/protocol"

/** Bytes of a delivery: the live rows of an agent. */
const BODY_BYTES_MAX = 64 * 1_048_576

/**
 * The body of a delivery. One that says how long it is, as a server's does, is read in one call: the pieces of a stream cost an edge runtime
 * more than what is in them.
 *
 * @throws {RouseError} `TOO_LARGE`.
 */
export async function readDelivery(request: Request): Promise<Uint8Array> {
  const declared = Number(request.headers.get("content-length") ?? "unknown")
  if (!Number.isInteger(declared)) return await readPieces(request)
  if (declared > BODY_BYTES_MAX) throw tooLarge()
  const body = new Uint8Array(await request.arrayBuffer())
  if (body.length > BODY_BYTES_MAX) throw tooLarge()
  return body
}

async function readPieces(request: Request): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of request.body ?? []) {
    bytes += piece.length
    if (bytes > BODY_BYTES_MAX) throw tooLarge()
    pieces.push(piece)
  }
  const body = new Uint8Array(bytes)
  let at = 0
  for (const piece of pieces) {
    body.set(piece, at)
    at += piece.length
  }
  return body
}

function tooLarge(): RouseError {
  return new RouseError("TOO_LARGE", `a delivery has at most ${BODY_BYTES_MAX} bytes`)
}
