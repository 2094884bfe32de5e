import { randomBytes } from "node:crypto"
import { lookup } from "node:dns/promises"
import { Agent as HttpAgent, request as requestHttp } from "node:http"
import type { IncomingMessage } from "node:http"
import { Agent as HttpsAgent, request as requestHttps } from "node:https"
import { isIP } from "node:net"
import { concat } from "../reply.ts"
import type { SubscriptionOptions, WebhookRequest, WebhookResponse } from "../subscriptions/options.ts"

/** Idle connections that are kept to one address. */
const IDLE_MAX = 64
/** How long they are kept: less than a receiver usually does, so that few requests meet one that is being closed. */
const IDLE_MS = 4_000

export interface NodeWebhookOptions {
  /** Whether connections are kept for further requests to the same address. Default false. */
  readonly keepAlive?: boolean
}

/** The real network, resolver and randomness of Node, for `subscriptions`. */
export function nodeWebhooks(
  options: NodeWebhookOptions = {},
): Pick<SubscriptionOptions, "fetch" | "resolve" | "randomBytes"> {
  const kept = options.keepAlive === true ? new Agents() : undefined
  return {
    fetch: (wanted) => fetch(wanted, kept),
    resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
    randomBytes: (count) => randomBytes(count),
  }
}

/** Connections by the address that they were opened to: one that was checked, like that of a new one. */
class Agents {
  readonly #http = new HttpAgent({ keepAlive: true, maxFreeSockets: IDLE_MAX, timeout: IDLE_MS })
  readonly #https = new HttpsAgent({ keepAlive: true, maxFreeSockets: IDLE_MAX, timeout: IDLE_MS })

  of({ protocol }: URL): HttpAgent {
    return protocol === "https:" ? this.#https : this.#http
  }
}

/** One request, on a connection of its own when none is kept. The name is checked against the certificate; the connection goes to the given address. */
async function fetch(wanted: WebhookRequest, kept: Agents | undefined): Promise<WebhookResponse> {
  const response = await open(wanted, kept)
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (length > wanted.responseBytesMax) {
      response.destroy()
      return { status: response.statusCode ?? 0, body: undefined }
    }
    chunks.push(chunk)
  }
  return { status: response.statusCode ?? 0, body: concat(chunks) }
}

function open(
  { url, address, headers, body, signal }: WebhookRequest,
  kept: Agents | undefined,
): Promise<IncomingMessage> {
  const request = url.protocol === "https:" ? requestHttps : requestHttp
  const family = isIP(address)
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: "POST",
      headers: { ...headers, "content-length": Buffer.byteLength(body) },
      agent: kept?.of(url) ?? false,
      signal,
      lookup: (_host, options, callback) => {
        if (options.all === true) callback(null, [{ address, family }])
        else callback(null, address, family)
      },
    })
    sent.on("response", resolve)
    sent.on("error", reject)
    sent.end(body)
  })
}
