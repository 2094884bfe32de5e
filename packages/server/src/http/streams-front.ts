import type { IncomingHttpHeaders, IncomingMessage, RequestListener } from "node:http"
import type { Streams } from "@rouse/streams"
import { toNodeHandler } from "@rouse/streams/node"
import { admit, type GateOptions, isOpen, scopeOf } from "./gate.ts"

/** Paths of streams in which a URL parser would change nothing, so that the gate sees what the streams see. */
const PLAIN = /^\/v1\/stream\/[\w\-~!$'()*+,;=:@/.]+$/

/**
 * Takes requests for streams straight to them: the way through the app costs about as much again.
 *
 * Only what the gate admits goes that way. Everything else goes to `app`: other paths, odd spellings, and whoever is refused, so that
 * there is one place that says so.
 */
export function streamsFront(streams: Streams, gate: GateOptions, app: RequestListener): RequestListener {
  const direct = toNodeHandler(streams)
  return (incoming, outgoing) => {
    if (mayPass(incoming, gate)) direct(incoming, outgoing)
    else app(incoming, outgoing)
  }
}

function mayPass(incoming: IncomingMessage, gate: GateOptions): boolean {
  const { method = "", url = "", headers } = incoming
  const at = url.indexOf("?")
  const pathname = at < 0 ? url : url.slice(0, at)
  if (!PLAIN.test(pathname) || pathname.includes("/.") || headers.host === undefined) return false
  if (isOpen(method, pathname, gate)) return true
  const request = { method, url: `http://${headers.host}/`, headers: { get: (name: string) => fieldOf(headers, name) } }
  try {
    admit(request, scopeOf(method, pathname), gate)
    return true
  } catch {
    // The app refuses it again, and answers.
    return false
  }
}

function fieldOf(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name]
  return typeof value === "string" ? value : null
}
