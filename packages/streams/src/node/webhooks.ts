import { randomBytes } from "node:crypto"
import { lookup } from "node:dns/promises"
import { request as requestHttp } from "node:http"
import type { IncomingMessage } from "node:http"
import { request as requestHttps } from "node:https"
import { isIP } from "node:net"
import { concat } from "../reply.ts"
import type { SubscriptionOptions, WebhookRequest, WebhookResponse } from "../subscriptions/options.ts"

/** The real network, resolver and randomness of Node, for `subscriptions`. */
export function nodeWebhooks(): Pick<SubscriptionOptions, "fetch" | "resolve" | "randomBytes"> {
  return {
    fetch,
    resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
    randomBytes: (count) => randomBytes(count),
  }
}

/** One request on a connection of its own. The name is checked against the certificate; the connection goes to the given address. */
async function fetch(wanted: WebhookRequest): Promise<WebhookResponse> {
  const response = await open(wanted)
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

function open({ url, address, headers, body, signal }: WebhookRequest): Promise<IncomingMessage> {
  const request = url.protocol === "https:" ? requestHttps : requestHttp
  const family = isIP(address)
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: "POST",
      headers: { ...headers, "content-length": Buffer.byteLength(body) },
      agent: false,
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
