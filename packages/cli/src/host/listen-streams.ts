import { problemOf, RouseError } from "@rouse/protocol"
import { bind, listenWith } from "@rouse/server/http"
import type { Address, Listening } from "@rouse/server/http"
import type { Clock, Reply, Streams } from "@rouse/streams"
import { createFront, toNodeHandler } from "@rouse/streams/node"
import type { Answering } from "@rouse/streams/node"
import type { RequestListener } from "node:http"

/** What reads HTTP: a front of our own, or `node:http`, which costs more and is there to compare. */
export type FrontName = "net" | "node"

/**
 * Serves streams under their base path, whether this is well, and nothing else.
 *
 * @throws {RouseError} `BAD_REQUEST` when the address cannot be listened on.
 */
export async function listenStreams(
  streams: Streams,
  clock: Clock,
  address: Address,
  front: FrontName,
  onError: (error: unknown) => void,
): Promise<Listening> {
  if (front === "node") return listenWith(listenerOf(streams), address)
  const base = `${streams.basePath}/`
  const answering: Answering = {
    answer: (request, target) =>
      target.pathname.startsWith(base)
        ? streams.answer(request, target)
        : Promise.resolve(elsewhere(streams, target.pathname)),
  }
  const served = createFront(answering, { clock, onError })
  return { url: await bind(served.server, address), close: (graceMs) => served.close(graceMs) }
}

/** @throws {RouseError} `BAD_REQUEST` when there is no such front. */
export function frontNamed(name = "net"): FrontName {
  if (name === "net" || name === "node") return name
  throw new RouseError("BAD_REQUEST", `ROUSE_STREAMS_FRONT: ${name} is neither net nor node`)
}

function listenerOf(streams: Streams): RequestListener {
  const handler = toNodeHandler(streams)
  return (incoming, outgoing) =>
    handler(incoming, outgoing, () => {
      const { status, headers, body } = elsewhere(streams, incoming.url ?? "/")
      outgoing.writeHead(status, headers).end(body)
    })
}

function elsewhere(streams: Streams, path: string): Reply & { readonly body: string } {
  if (path === "/healthz" || path === "/readyz")
    return { status: 200, headers: { "content-type": "application/json" }, body: `{"ok":true}` }
  const problem = problemOf(new RouseError("NOT_FOUND", `streams are found under ${streams.basePath}/`))
  return {
    status: problem.status,
    headers: { "content-type": "application/problem+json" },
    body: JSON.stringify(problem),
  }
}
