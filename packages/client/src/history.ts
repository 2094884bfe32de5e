import type { ForkBody, Forked, Imported } from "@rouse/protocol"
import { entityPath, queryString } from "./core/address.ts"
import type { Call, Transport } from "./transport.ts"
import type { History, WriteOptions } from "./types.ts"

/** What is made of an entity's history. */
export function history(transport: Transport, write: (call: Call, options?: WriteOptions) => Call): History {
  return {
    export: async (url, { tree = false, signal } = {}) => {
      const path = entityPath(url, "export") + queryString({ tree: tree ? true : undefined })
      const { body } = await transport.open({ path, accept: "application/x-ndjson", signal })
      return body ?? new Blob([]).stream()
    },
    import: async (bundle, { as, run, ...o } = {}) => {
      const path = `/v1/import${queryString({ as, run: run === true ? true : undefined })}`
      return transport.json<Imported>({ method: "POST", path, bytes: bundle, mediaType: "application/x-ndjson", ...o })
    },
    fork: async (url, body = {}, o) =>
      transport.json<Forked>(write({ path: entityPath(url, "fork"), body: defined(body) }, o)),
  }
}

function defined(body: ForkBody): object {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))
}
