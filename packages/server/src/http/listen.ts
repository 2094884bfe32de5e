import { createServer, type RequestListener, type Server as HttpServer } from "node:http"
import type { AddressInfo, Server as NetServer } from "node:net"
import { getRequestListener } from "@hono/node-server"
import { RouseError } from "@rouse/protocol"

/** How long a client may take over what it sends, in milliseconds. */
export interface Patience {
  /** The head of a request. */
  readonly headMs: number
  /** All of a request. */
  readonly requestMs: number
  /** How often it is looked for who takes longer. */
  readonly lookMs: number
}

const PATIENCE: Patience = { headMs: 15_000, requestMs: 120_000, lookMs: 5_000 }
const KEEP_ALIVE_MS = 65_000
/** How often a closing server looks for kept connections whose last answer has gone out meanwhile. */
const IDLE_LOOK_MS = 20

export interface Listening {
  /** The address to type: `http://127.0.0.1:4437`. */
  readonly url: string
  /** Takes no more connections, and closes idle ones. Resolves when none is left, or after `graceMs`. */
  close(graceMs: number): Promise<void>
}

export interface Address {
  readonly host: string
  readonly port: number
}

/**
 * Serves a fetch handler over HTTP.
 *
 * @param front What requests come to first. It leaves to the fetch handler what it does not answer.
 * @throws {RouseError} `BAD_REQUEST` when the address cannot be listened on, saying which and why.
 */
export function listen(
  fetch: (request: Request) => Promise<Response>,
  address: Address,
  front: (app: RequestListener) => RequestListener = (app) => app,
): Promise<Listening> {
  const listener = getRequestListener(fetch)
  return listenWith(
    front((incoming, outgoing) => void listener(incoming, outgoing)),
    address,
  )
}

/**
 * Serves a listener of `node:http`.
 *
 * @throws {RouseError} `BAD_REQUEST` when the address cannot be listened on, saying which and why.
 */
export async function listenWith(
  listener: RequestListener,
  address: Address,
  { headMs, requestMs, lookMs }: Patience = PATIENCE,
): Promise<Listening> {
  const server = createServer(
    {
      headersTimeout: headMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: lookMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
      noDelay: true,
    },
    listener,
  )
  return { url: await bind(server, address), close: (graceMs) => close(server, graceMs) }
}

/**
 * Has a server listen, and returns its URL.
 *
 * @throws {RouseError} `BAD_REQUEST` when the address cannot be listened on, saying which and why.
 */
export async function bind(server: NetServer, { host, port }: Address): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(refused(error, host, port)))
    server.listen(port, host, resolve)
  })
  const bound = server.address() as AddressInfo
  const name = bound.family === "IPv6" ? `[${bound.address}]` : bound.address
  return `http://${name}:${bound.port}`
}

function refused(error: NodeJS.ErrnoException, host: string, port: number): RouseError {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: "another process is using it",
    EACCES: "this user may not",
    EADDRNOTAVAIL: "this machine has no such address",
  }
  const why = reasons[error.code ?? ""] ?? error.message
  return new RouseError("BAD_REQUEST", `cannot listen on ${host}:${port}: ${why}`, {
    cause: error,
    details: { host, port },
  })
}

async function close(server: HttpServer, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  server.closeIdleConnections()
  const looks = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS)
  const timer = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearInterval(looks)
  clearTimeout(timer)
}
