import type { ServerResponse } from "node:http"
import type { Writable } from "node:stream"
import { nextOf } from "../reply.ts"
import type { Feed, Reply } from "../reply.ts"
import { chunkOf } from "./chunk.ts"
import { PiecesFeed } from "./pieces-feed.ts"

/** A reader of a feed that takes nothing for this long is cut off: it would hold its place for ever. */
const STALLED_MS_MAX = 60_000

/** Sends a reply. Resolves when the last of it was given to the connection, or that is gone. */
export function writeReply(outgoing: ServerResponse, { status, headers, body = "" }: Reply): Promise<void> | undefined {
  if (typeof body === "object" && "poll" in body) {
    // HTTP/1.0 has no chunks: there the end of the connection ends the body.
    const isChunked = outgoing.req.httpVersion === "1.1"
    outgoing.writeHead(status, isChunked ? { ...headers, "transfer-encoding": "chunked" } : headers)
    outgoing.flushHeaders()
    return pump(outgoing, body, isChunked)
  }
  const hasBody = status !== 204 && status !== 304 && outgoing.req.method !== "HEAD"
  if (typeof body === "object" && "take" in body) {
    outgoing.writeHead(status, hasBody ? { ...headers, "content-length": body.byteLength } : headers)
    if (hasBody) return pump(outgoing, new PiecesFeed(body, () => outgoing.destroy()), false)
    outgoing.end()
    return undefined
  }
  const pieces = typeof body === "string" || body instanceof Uint8Array ? [body] : body
  const length = pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0)
  outgoing.writeHead(status, hasBody ? { ...headers, "content-length": length } : headers)
  if (pieces.length > 1) for (const piece of pieces.slice(0, -1)) outgoing.write(piece)
  if (length === 0) outgoing.end()
  else outgoing.end(pieces.at(-1))
  return undefined
}

async function pump(outgoing: ServerResponse, feed: Feed, isChunked: boolean): Promise<void> {
  outgoing.once("close", () => feed.cancel())
  if (outgoing.destroyed) feed.cancel()
  for (;;) {
    const bytes = await nextOf(feed)
    if (bytes === undefined || outgoing.destroyed) break
    const { socket } = outgoing
    // Straight to the socket: `outgoing` would make a chunk of it again for each reader, in four writes. It has no socket while an
    // earlier answer of its connection is under way.
    const [to, ok] =
      isChunked && socket !== null
        ? [socket, socket.write(chunkOf(bytes))]
        : [outgoing, outgoing.write(bytes, feed.written)]
    if (!ok && !(await drained(outgoing, to))) break
  }
  outgoing.end()
}

/** Whether the reader took what was written. False: it is gone, or stalled and was cut off. */
function drained(outgoing: ServerResponse, to: Writable): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (ok: boolean): void => {
      clearTimeout(timer)
      to.off("drain", onDrain)
      outgoing.off("close", onClose)
      resolve(ok)
    }
    const onDrain = (): void => settle(true)
    const onClose = (): void => settle(false)
    const timer = setTimeout(() => outgoing.destroy(), STALLED_MS_MAX)
    to.on("drain", onDrain)
    outgoing.on("close", onClose)
    if (outgoing.destroyed) settle(false)
  })
}
