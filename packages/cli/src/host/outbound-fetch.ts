import { reachable } from "@rouse/agents/runtime"
import type { OutboundFetch, OutboundRequest } from "@rouse/agents/runtime"
import { RouseError, reachOf } from "@rouse/protocol"
import { lookup } from "node:dns"
import type { LookupAddress, LookupAllOptions } from "node:dns"
import { request as requestHttp } from "node:http"
import type { IncomingMessage, RequestOptions } from "node:http"
import { request as requestHttps } from "node:https"
import { Readable } from "node:stream"

type Lookup = NonNullable<RequestOptions["lookup"]>
type Resolve = (
  host: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** Statuses whose answers have no body. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304])

/**
 * The network for tools, on Node. A name is resolved once, for the connection that is made: no private address is connected to unless that is
 * allowed, whatever a resolver says later. Each request has a connection of its own, so that none is cut off by a connection that was idle.
 */
export function outboundFetch(resolve: Resolve = lookup): OutboundFetch {
  const publicLookup = publicOnly(resolve)
  return async (wanted) => {
    reachable(wanted.url, wanted.isPrivateAllowed)
    return responseOf(await opened(wanted, publicLookup))
  }
}

function responseOf(message: IncomingMessage): Response {
  const status = message.statusCode ?? 502
  const headers = new Headers()
  for (const [name, values] of Object.entries(message.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value)
  }
  if (BODILESS.has(status)) message.resume()
  const body = BODILESS.has(status) ? null : (Readable.toWeb(message) as ReadableStream<Uint8Array>)
  return new Response(body, { status, headers })
}

function opened(
  { url, method, headers, body, signal, isPrivateAllowed }: OutboundRequest,
  publicLookup: Lookup,
): Promise<IncomingMessage> {
  const isSecure = url.protocol === "https:"
  const request = isSecure ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": body.length }
    const sent = request(url, {
      method,
      headers: { "accept-encoding": "identity", ...headers, ...length },
      agent: false,
      signal,
      ...(isPrivateAllowed ? {} : { lookup: publicLookup }),
    })
    let isUnsent = true
    sent.on("socket", (socket) => {
      socket.once(isSecure ? "secureConnect" : "connect", () => {
        isUnsent = false
      })
    })
    sent.on("response", resolve)
    sent.on("error", (error) => reject(RouseError.is(error) ? error : Object.assign(error, { isUnsent })))
    sent.end(body)
  })
}

/** Resolves a name to its public addresses alone. */
function publicOnly(resolve: Resolve): Lookup {
  return (host, options, callback) => {
    resolve(host, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, "")
      const found = addresses.filter(({ address }) => reachOf(address) === "public")
      const [first] = found
      if (first === undefined) return callback(refused(host), "")
      if (options.all === true) callback(null, found)
      else callback(null, first.address, first.family)
    })
  }
}

function refused(host: string): RouseError {
  return new RouseError(
    "ADDRESS_REFUSED",
    `${host} leads to this machine or its network: a tool must say \`private: true\` to call it`,
  )
}
