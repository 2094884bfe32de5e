import { joinJson } from "@rouse/store"
import type { ReadResult } from "@rouse/store"
import { cacheControl } from "../core/caching.ts"
import { readTag, tagMatches } from "../core/etag.ts"
import { isJson } from "../core/media-type.ts"
import { STREAM_CLOSED, STREAM_CURSOR, STREAM_NEXT_OFFSET, STREAM_UP_TO_DATE } from "../core/names.ts"
import { isShown } from "../core/security-headers.ts"
import type { Reply } from "../reply.ts"
import { BatchPieces } from "./batch-pieces.ts"

/** What is read and written of a long answer at a time. With less, each costs the client a wake and the allocator new pages. */
export const PIECE_BYTES: number = 1_048_576
/** A shorter body is put together rather than sent in pieces. */
const COPIED_BYTES_MAX = 65_536
const OPEN = Uint8Array.of(0x5b)
const CLOSE = Uint8Array.of(0x5d)

/**
 * The answer to a read: the batches as one body, where to go on, and the tag by which a repeated read costs nothing.
 *
 * @param ifNoneMatch The request's header.
 * @see Durable Streams Protocol §5.5, §7.1, §8.1
 */
export function batchReply(result: ReadResult, cursor: number, ifNoneMatch: string | null, nowMs: number): Reply {
  const { info, upToDate } = result
  const closed = upToDate && info.closed
  const etag = readTag(info.incarnation, result.start, result.next, closed)
  const headers = {
    ...positionHeaders(result, closed, cursor),
    etag,
    "cache-control": cacheControl({ ...info, upToDate, closed }, nowMs),
  }
  if (tagMatches(ifNoneMatch, etag)) return { status: 304, headers }
  return { status: 200, headers: { ...headers, ...contentHeaders(info.contentType) }, body: replyBody(result) }
}

/** Where a reader stands after this answer. */
export function positionHeaders(
  read: { readonly next: string; readonly upToDate: boolean },
  closed: boolean,
  cursor: number,
): Record<string, string> {
  return {
    [STREAM_NEXT_OFFSET]: read.next,
    [STREAM_CURSOR]: String(cursor),
    ...(read.upToDate ? { [STREAM_UP_TO_DATE]: "true" } : {}),
    ...(closed ? { [STREAM_CLOSED]: "true" } : {}),
  }
}

export function contentHeaders(contentType: string): Record<string, string> {
  return { "content-type": contentType, ...(isShown(contentType) ? {} : { "content-disposition": "attachment" }) }
}

/** The batches in the form that the protocol answers: a JSON array, or the bytes. */
export function bodyOf(result: ReadResult): Uint8Array {
  return isJson(result.info.contentType) ? joinJson([result.data]) : result.data
}

/** The same without a copy where that would be long. The pieces are one body. */
function replyBody(result: ReadResult): NonNullable<Reply["body"]> {
  const { data, rest, info } = result
  const json = isJson(info.contentType)
  if (rest !== undefined) return new BatchPieces(data, rest, json)
  if (!json) return data
  if (data.length < COPIED_BYTES_MAX) return bodyOf(result)
  return [OPEN, data.subarray(0, -1), CLOSE]
}
