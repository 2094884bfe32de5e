import { RouseError } from "@rouse/protocol"
import { concat } from "./reply.ts"
import type { StreamRequest } from "./request.ts"

const EMPTY = new Uint8Array(0)

/**
 * A request's whole body. What is longer than allowed is refused by its declared length, or as soon as the bytes pass the bound.
 *
 * @throws {RouseError} `TOO_LARGE`; `BAD_REQUEST` when the client breaks off.
 */
export async function readBody(request: StreamRequest, bytesMax: number): Promise<Uint8Array> {
  const declared = request.headers.get("content-length")
  if (declared !== null && Number(declared) > bytesMax) throw tooLarge(bytesMax)
  try {
    return await (request.take === undefined ? collect(request.body, bytesMax) : request.take(bytesMax))
  } catch (cause) {
    if (RouseError.is(cause)) throw cause
    throw new RouseError("BAD_REQUEST", "body: it broke off before its end", { cause })
  }
}

async function collect(body: AsyncIterable<Uint8Array> | null, bytesMax: number): Promise<Uint8Array> {
  if (body === null) return EMPTY
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > bytesMax) throw tooLarge(bytesMax)
    chunks.push(chunk)
  }
  return concat(chunks)
}

/** What a body longer than allowed is refused with. */
export function tooLarge(bytesMax: number): RouseError {
  return new RouseError("TOO_LARGE", `body: it is longer than ${bytesMax} bytes`, { details: { bytesMax } })
}
