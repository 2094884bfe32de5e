import { problemReply } from "../../reply.ts"
import type { Feed, Reply } from "../../reply.ts"
import { COPIED_BYTES_MAX } from "./limits.ts"
import { inWrites, PiecesFeed } from "../pieces-feed.ts"
import { replyHead } from "./reply-head.ts"
import type { BodyLength } from "./reply-head.ts"

/** What an answer depends on beside the reply. */
export interface Circumstances {
  readonly isHead: boolean
  /** HTTP/1.0 has no chunks: there the end of the connection ends the body. */
  readonly canChunk: boolean
  /** Whether the connection ends behind it. */
  readonly isLast: boolean
  readonly date: string
  /** Said to a client whose connection stays. */
  readonly keepAlive: string
  /** Ends the connection at once: what was promised cannot be sent. */
  readonly cut: (error: unknown) => void
}

/** An answer as it goes out: what is written at once, and what follows as it is taken. */
export interface Opened {
  readonly first: Uint8Array | string
  readonly feed: Feed | undefined
  readonly isChunked: boolean
  readonly isLast: boolean
}

const CLOSE = "connection: close\r\n"

/** A reply that cannot be sent becomes a 500: `onError` is told why. */
export function openReply(reply: Reply, circumstances: Circumstances, onError: (error: unknown) => void): Opened {
  try {
    return opened(reply, circumstances)
  } catch (error) {
    onError(error)
    dropReply(reply)
    return opened(problemReply(error), circumstances)
  }
}

/** Nobody is there to read it. */
export function dropReply({ body }: Reply): void {
  if (typeof body === "object" && "poll" in body) body.cancel()
}

function opened(reply: Reply, circumstances: Circumstances): Opened {
  const { isHead, canChunk, isLast, date, keepAlive, cut } = circumstances
  const { body = "", status } = reply
  const head = (length: BodyLength, last: boolean): string => replyHead(reply, length, date, last ? CLOSE : keepAlive)
  if (typeof body === "object" && "poll" in body) {
    const last = isLast || !canChunk
    return { first: head(canChunk ? "chunked" : "until the end", last), feed: body, isChunked: canChunk, isLast: last }
  }
  const bare = { feed: undefined, isChunked: false, isLast }
  if (isHead || status === 204 || status === 304) return { first: head("none", isLast), ...bare }
  if (typeof body === "object" && "take" in body) {
    return { first: head(body.byteLength, isLast), ...bare, feed: new PiecesFeed(body, cut) }
  }
  const pieces = piecesOf(body)
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const text = head(length, isLast)
  if (length === 0) return { first: text, ...bare }
  if (length > COPIED_BYTES_MAX) return { first: text, ...bare, feed: new PiecesFeed(inWrites(pieces), cut) }
  return { first: Buffer.concat([Buffer.from(text, "latin1"), ...pieces]), ...bare }
}

function piecesOf(body: Uint8Array | readonly Uint8Array[] | string): readonly Uint8Array[] {
  if (typeof body === "string") return [Buffer.from(body)]
  return body instanceof Uint8Array ? [body] : body
}
