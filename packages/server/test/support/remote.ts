import { randomBytes } from "node:crypto"
import { createHandler, type FetchHandler, type HandlerOptions } from "@rouse/agents"
import type { Harness } from "../harness.ts"
import type { WebhookOptions } from "../../src/index.ts"

/** What an address answers to a request that the server sent. Throws as a connection does. */
export type Endpoint = (request: Request) => Promise<Response>

/** A network without sockets: addresses with handlers behind them, and what was asked of each. */
export class Network {
  readonly endpoints = new Map<string, Endpoint>()
  readonly requests: { readonly url: string; readonly body: string; readonly headers: Headers }[] = []

  readonly webhooks: WebhookOptions = {
    allowLoopback: true,
    randomBytes,
    resolve: async () => ["127.0.0.1"],
    fetch: async ({ url, headers, body, signal, responseBytesMax }) => {
      const request = new Request(url, { method: "POST", headers, body, signal })
      this.requests.push({ url: url.href, body, headers: request.headers })
      const endpoint = this.endpoints.get(url.href)
      if (!endpoint) throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" })
      const response = await orAborted(endpoint(request), signal)
      const bytes = new Uint8Array(await response.arrayBuffer())
      return { status: response.status, body: bytes.length > responseBytesMax ? undefined : bytes }
    },
  }

  /** Puts a handler behind an address. It calls the server of `harness`. */
  serve(url: string, harness: () => Harness, options: Omit<HandlerOptions, "server">): FetchHandler {
    const handler = createHandler({ server: "http://localhost", fetch: fetchOf(harness), ...options })
    this.endpoints.set(url, (request) => handler(request))
    return handler
  }
}

/** `fetch` to a server without a socket. */
export function fetchOf(harness: () => Harness): typeof fetch {
  return (input, init) => harness().server.fetch(new Request(input, { ...init, headers: hosted(init?.headers) }))
}

function hosted(headers: ConstructorParameters<typeof Headers>[0]): Headers {
  const all = new Headers(headers)
  all.set("host", "localhost")
  return all
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error)
    if (signal.aborted) stop()
    else signal.addEventListener("abort", stop, { once: true })
    work.then(resolve, reject)
  })
}
