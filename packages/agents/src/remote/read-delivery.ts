import { RouseError } from "@rouse/protocol"
import { readBody } from "../http/read-body.ts"

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
  if (declared > BODY_BYTES_MAX) throw tooLarge()
  const body = Number.isInteger(declared)
    ? new Uint8Array(await request.arrayBuffer())
    : await readBody(request, BODY_BYTES_MAX)
  if (body === undefined || body.length > BODY_BYTES_MAX) throw tooLarge()
  return body
}

function tooLarge(): RouseError {
  return new RouseError("TOO_LARGE", `a delivery has at most ${BODY_BYTES_MAX} bytes`)
}
