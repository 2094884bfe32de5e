import type { ForkBody, Forked } from "@rouse/protocol"
import { entityPath } from "./core/address.ts"
import type { Call, Transport } from "./transport.ts"
import type { History, WriteOptions } from "./types.ts"

/** What is made of an entity's history. */
export function history(transport: Transport, write: (call: Call, options?: WriteOptions) => Call): History {
  return {
    fork: async (url, body = {}, o) =>
      transport.json<Forked>(write({ path: entityPath(url, "fork"), body: defined(body) }, o)),
  }
}

function defined(body: ForkBody): object {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))
}
