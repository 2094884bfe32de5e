import type { ServerResponse } from "node:http"
import type { Feed, Reply } from "../reply.ts"

/** A reader of a feed that takes nothing for this long is cut off: it would hold its place for ever. */
const STALLED_MS_MAX = 60_000

/** Sends a reply. Resolves when the last of it was given to the connection, or that is gone. */
export function writeReply(outgoing: ServerResponse, { status, headers, body = "" }: Reply): Promise<void> | undefined {
  if (typeof body === "object" && "next" in body) {
    outgoing.writeHead(status, headers)
    outgoing.flushHeaders()
    return pump(outgoing, body)
  }
  const pieces = typeof body === "string" || body instanceof Uint8Array ? [body] : body
  const length = pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0)
  const hasLength = status !== 204 && status !== 304 && outgoing.req.method !== "HEAD"
  outgoing.writeHead(status, hasLength ? { ...headers, "content-length": length } : headers)
  if (pieces.length > 1) for (const piece of pieces.slice(0, -1)) outgoing.write(piece)
  if (length === 0) outgoing.end()
  else outgoing.end(pieces.at(-1))
  return undefined
}

async function pump(outgoing: ServerResponse, feed: Feed): Promise<void> {
  outgoing.once("close", () => feed.cancel())
  if (outgoing.destroyed) feed.cancel()
  for (;;) {
    const bytes = await feed.next()
    if (bytes === undefined || outgoing.destroyed) break
    if (!outgoing.write(bytes) && !(await drained(outgoing))) break
  }
  outgoing.end()
}

/** Whether the reader took what was written. False: it is gone, or stalled and was cut off. */
function drained(outgoing: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (ok: boolean): void => {
      clearTimeout(timer)
      outgoing.off("drain", onDrain).off("close", onClose)
      resolve(ok)
    }
    const onDrain = (): void => settle(true)
    const onClose = (): void => settle(false)
    const timer = setTimeout(() => outgoing.destroy(), STALLED_MS_MAX)
    outgoing.on("drain", onDrain).on("close", onClose)
    if (outgoing.destroyed) settle(false)
  })
}
