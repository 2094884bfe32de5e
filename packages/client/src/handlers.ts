import type { DeployBody, Routing, TypeInfo } from "@rouse/protocol"
import type { Call, Transport } from "./transport.ts"
import type { WriteOptions } from "./options.ts"

/** Handlers that are not in the server's process: where they are, and which version begins runs. */
export interface Handlers {
  /**
   * Asks the handler at an address what it has, and registers all of it.
   *
   * @throws {RouseError} `HANDLER_UNREACHABLE`; `WEBHOOK_URL_REJECTED`; `ALREADY_EXISTS` for a type that the server runs itself.
   */
  deploy(url: string, options?: WriteOptions & { readonly version?: string | undefined }): Promise<readonly TypeInfo[]>
  /** Says which version of a type begins new runs. @throws {RouseError} `UNKNOWN_TYPE`; `UNKNOWN_VERSION`. */
  route(type: string, routing: Routing, options?: WriteOptions): Promise<TypeInfo>
  /** Takes a type away, or one version of it. Its agents are kept, and wait or go on in another version. */
  removeType(type: string, version?: string, options?: WriteOptions): Promise<void>
}

export function handlers(transport: Transport, write: (call: Call, options?: WriteOptions) => Call): Handlers {
  const { json } = transport
  const pathOf = (type: string, ...below: readonly string[]): string =>
    ["/v1/types", type, ...below].map((part, i) => (i === 0 ? part : encodeURIComponent(part))).join("/")
  return {
    deploy: async (url, o = {}) => {
      const body: DeployBody = { url, ...(o.version === undefined ? {} : { version: o.version }) }
      return (await json<{ types: TypeInfo[] }>(write({ path: "/v1/types", body }, o))).types
    },
    route: async (type, routing, o) =>
      json<TypeInfo>(write({ method: "PUT", path: pathOf(type, "routing"), body: routing }, o)),
    removeType: async (type, version, o) =>
      json<void>(
        write({ method: "DELETE", path: version === undefined ? pathOf(type) : pathOf(type, "versions", version) }, o),
      ),
  }
}
