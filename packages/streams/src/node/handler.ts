import type { IncomingMessage, ServerResponse } from "node:http"
import { RouseError } from "@rouse/protocol"
import { problemReply } from "../reply.ts"
import type { Streams } from "../streams.ts"
import { NodeRequest } from "./node-request.ts"
import { originOf, targetOf } from "./target.ts"
import { writeReply } from "./write-reply.ts"

const NO_URL = new RouseError("BAD_REQUEST", "request line: the target is no URL")

/** A request listener of `node:http`, and a middleware of Express, Connect and Polka. */
export type NodeHandler = (
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  next?: (error?: unknown) => void,
) => void

/**
 * Serves streams straight from `node:http`: an append costs about half of what it does by way of `Request` and `Response`.
 *
 * What is outside the base path goes to `next`, or, without one, is answered 404. As a middleware it comes before whatever reads bodies.
 */
export function toNodeHandler(streams: Streams): NodeHandler {
  const base = `${streams.basePath}/`
  return (incoming, outgoing, next) => {
    const url = urlOf(incoming)
    if (next !== undefined && !url.startsWith(base)) return next()
    const target = targetOf(url, originOf(incoming.headers.host, "encrypted" in incoming.socket))
    if (target === undefined) return void writeReply(outgoing, problemReply(NO_URL))
    void streams.answer(new NodeRequest(incoming, outgoing), target).then((reply) => writeReply(outgoing, reply))
  }
}

/** Express takes the path of a mount away from `url`. */
function urlOf(incoming: IncomingMessage): string {
  const original = "originalUrl" in incoming ? incoming.originalUrl : undefined
  return typeof original === "string" ? original : (incoming.url ?? "/")
}
