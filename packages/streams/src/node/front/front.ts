import { createServer } from "node:net"
import type { Server } from "node:net"
import type { Clock } from "../../clock.ts"
import { Connection } from "./connection.ts"
import { frontLimitsOf, UNSENT_BYTES_MAX } from "./limits.ts"
import type { FrontLimits } from "./limits.ts"
import { Shared } from "./shared.ts"
import type { Answering } from "./shared.ts"

export interface FrontOptions extends Partial<FrontLimits> {
  readonly clock: Clock
  /** Told of a handler that fails, and of a reply that cannot be sent. */
  readonly onError?: (error: unknown) => void
}

/** An HTTP/1.1 server of its own. */
export interface Front {
  /** To listen with, and to ask for its address. */
  readonly server: Server
  /** Takes no more connections and ends each after its answer under way. Resolves when none is left, or after `graceMs`. */
  close(graceMs: number): Promise<void>
}

/**
 * Serves streams by HTTP/1.1 straight from the socket, where `node:http` would keep a parser, a request and a response for each
 * connection that waits: an append takes less of the processor, a live reader a fraction of the memory.
 *
 * It is strict: what RFC 9112 leaves to the receiver's indulgence is refused. It has no TLS and no HTTP/2; put a proxy before it for those.
 *
 * @see RFC 9112
 */
export function createFront(
  answering: Answering,
  { clock, onError = () => undefined, ...limits }: FrontOptions,
): Front {
  const shared = new Shared(answering, clock, frontLimitsOf(limits), onError)
  const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: UNSENT_BYTES_MAX }, (socket) => {
    shared.add(new Connection(socket, shared))
  })
  server.maxConnections = shared.limits.connectionsMax
  return { server, close: (graceMs) => close(server, shared, clock, graceMs) }
}

async function close(server: Server, shared: Shared, clock: Clock, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  for (const connection of shared.connections) connection.close()
  const disarm = clock.after(graceMs, () => {
    for (const connection of shared.connections) connection.destroy()
  })
  await closed
  disarm()
  // A socket is counted out before it says so itself.
  for (const connection of shared.connections) shared.remove(connection)
}
