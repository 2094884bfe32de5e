import { createServer, request } from "node:http"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/** A load balancer of HTTP without stickiness: each request goes to one of the servers, whatever connection it came by. */
export interface Balancer {
  /** Without a slash at its end. */
  readonly url: string
  /** Requests that each server was given, in their order. */
  readonly given: readonly number[]
  close(): Promise<void>
}

/**
 * Begins one on any free port of this machine. Bodies flow in both directions as they come, and headers stay as they are.
 *
 * @param servers - base URLs, without a slash at their end
 * @param random - from 0 to below 1: picks the server of a request
 */
export async function openBalancer(servers: readonly string[], random: () => number): Promise<Balancer> {
  const given = servers.map(() => 0)
  const server = createServer((incoming, outgoing) => {
    const n = Math.floor(random() * servers.length)
    given[n] = (given[n] ?? 0) + 1
    forward(servers[n] ?? "", incoming, outgoing)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, given, close }
}

function forward(server: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
  // A connection for each request: one that was kept may end just when it is used again.
  const { hostname, port } = new URL(server)
  const onward = request({
    hostname,
    port,
    path: incoming.url ?? "/",
    method: incoming.method ?? "GET",
    headers: endToEnd(incoming.rawHeaders),
    agent: false,
  })
  const drop = (): void => void outgoing.destroy()
  onward.on("error", drop)
  incoming.on("error", () => onward.destroy())
  outgoing.on("close", () => onward.destroy())
  onward.on("response", (answer) => {
    outgoing.sendDate = false
    outgoing.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.rawHeaders))
    outgoing.flushHeaders()
    answer.on("error", drop)
    answer.pipe(outgoing)
  })
  incoming.pipe(onward)
}

/** Without what is said of the connection. */
function endToEnd(headers: readonly string[]): string[] {
  return headers.filter((_, n) => !/^(connection|keep-alive)$/i.test(headers[n - (n % 2)] ?? ""))
}
