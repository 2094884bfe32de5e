import { RouseError } from "@rouse/protocol"
import type { Transport } from "./transport.ts"
import type { Client } from "./types.ts"

/** The transport behind each client, for the package's other entry points. */
const transports = new WeakMap<Client, Transport>()

export function rememberTransport(client: Client, transport: Transport): void {
  transports.set(client, transport)
}

/** @throws {RouseError} `BAD_REQUEST` when `createClient` of this copy of the package did not make the client. */
export function transportOf(client: Client): Transport {
  const transport = transports.get(client)
  if (!transport)
    throw new RouseError("BAD_REQUEST", "client: createClient of this copy of the package did not make it")
  return transport
}
