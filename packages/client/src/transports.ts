import { RouseError } from "@rouse/protocol"
import type { Transport } from "./transport.ts"
import type { AnyClient } from "./typed.ts"

/** The transport behind each client, for the package's other entry points. */
const transports = new WeakMap<AnyClient, Transport>()

export function rememberTransport(client: AnyClient, transport: Transport): void {
  transports.set(client, transport)
}

/** @throws {RouseError} `BAD_REQUEST` when `createClient` of this copy of the package did not make the client. */
export function transportOf(client: AnyClient): Transport {
  const transport = transports.get(client)
  if (!transport)
    throw new RouseError("BAD_REQUEST", "client: createClient of this copy of the package did not make it")
  return transport
}
