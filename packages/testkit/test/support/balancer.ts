import { Agent, createServer, request } from "node:http"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { SeededRandom } from "../../src/crash/core/random.ts"

/**
 * A load balancer as they are by default: any server by chance, no stickiness, nothing repeated. It finds out that a server drains when that
 * refuses a request or a connection, and then asks it no more.
 */
export class Balancer {
  readonly #random: SeededRandom
  readonly #seats = new Set<string>()
  readonly #agent = new Agent({ keepAlive: true })
  readonly #server: Server
  /** Requests that were answered with 502 or 503: each is one that a client has to send again. */
  refused = 0

  constructor(random: SeededRandom) {
    this.#random = random
    this.#server = createServer((incoming, outgoing) => this.#pass(incoming, outgoing))
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => void this.#server.listen(0, "127.0.0.1", resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  add(url: string): void {
    this.#seats.add(url)
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => void this.#server.close(resolve))
    this.#agent.destroy()
  }

  #pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    if (this.#seats.size === 0) return this.#refuse(outgoing, 503)
    const seat = this.#random.pick([...this.#seats])
    const { method, headers } = incoming
    const onward = request(`${seat}${incoming.url}`, { method, headers, agent: this.#agent }, (answer) => {
      if (answer.statusCode === 503) {
        this.#seats.delete(seat)
        this.refused += 1
      }
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.on("error", () => outgoing.destroy())
      answer.pipe(outgoing)
    })
    onward.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") this.#seats.delete(seat)
      if (outgoing.headersSent) outgoing.destroy()
      else this.#refuse(outgoing, 502)
    })
    outgoing.on("close", () => onward.destroy())
    incoming.pipe(onward)
  }

  #refuse(outgoing: ServerResponse, status: number): void {
    this.refused += 1
    outgoing.writeHead(status).end()
  }
}
