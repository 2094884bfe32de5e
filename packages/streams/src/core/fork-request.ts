import { RouseError, START } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import { invalid, parseNatural } from "./header-values.ts"
import { STREAM_FORK_OFFSET, STREAM_FORK_SUB_OFFSET, STREAM_FORKED_FROM } from "./names.ts"
import { isOffset } from "./read-request.ts"
import { parseStreamPath } from "./path.ts"

/** What `Stream-Forked-From` may look like: a path as URLs have it, without query or fragment. */
const URL_PATH = /^\/[!-~]*$/
/** How the reference server writes the beginning of any stream. */
const ZERO_OFFSET = /^0+_0+$/

/** From where on a stream is to go its own way. */
export interface ForkRequest {
  readonly source: string
  readonly offset?: Offset
  readonly subOffset?: number
}

/**
 * Reads the headers by which a create becomes a fork; undefined when there are none.
 *
 * @param basePath What stream URLs begin with: `Stream-Forked-From` is the path of a stream's URL.
 * @throws {RouseError} `BAD_REQUEST` with the header's name, `BAD_OFFSET`, `NOT_FOUND` when the source is not under `basePath`.
 * @see Durable Streams Protocol §4.2
 */
export function parseFork(headers: Pick<Headers, "get">, basePath: string): ForkRequest | undefined {
  const from = headers.get(STREAM_FORKED_FROM)
  const offset = headers.get(STREAM_FORK_OFFSET)
  const subOffset = headers.get(STREAM_FORK_SUB_OFFSET)
  if (from === null) {
    if (offset !== null) throw invalid("Stream-Fork-Offset", "needs Stream-Forked-From")
    if (subOffset !== null) throw invalid("Stream-Fork-Sub-Offset", "needs Stream-Forked-From")
    return undefined
  }
  return {
    source: sourceOf(from, basePath),
    ...(offset === null ? {} : { offset: offsetOf(offset) }),
    ...(subOffset === null
      ? {}
      : { subOffset: parseNatural("Stream-Fork-Sub-Offset", subOffset, Number.MAX_SAFE_INTEGER) }),
  }
}

function sourceOf(value: string, basePath: string): string {
  if (!URL_PATH.test(value) || /[?#]/.test(value)) {
    throw invalid("Stream-Forked-From", `must be the path of a stream's URL, such as ${basePath}/name`)
  }
  return parseStreamPath(value, basePath)
}

function offsetOf(value: string): Offset {
  if (ZERO_OFFSET.test(value)) return START
  if (isOffset(value)) return value
  throw new RouseError("BAD_OFFSET", "Stream-Fork-Offset: must be -1 or an offset that the source gave")
}
