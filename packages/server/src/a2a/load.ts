import type * as Types from "@a2a-js/sdk"
import type * as Sdk from "@a2a-js/sdk/server"
import { RouseError } from "@rouse/protocol"
import type { AgentHandler } from "./agent-handler.ts"
import type { cardOf } from "./card.ts"

type Loaded = Pick<typeof Sdk, "JsonRpcTransportHandler" | "ServerCallContext" | "validateVersion"> & {
  readonly types: typeof Types
  readonly AgentHandler: typeof AgentHandler
  readonly cardOf: typeof cardOf
}

let loading: Promise<Loaded> | undefined

/**
 * This room, with the protocol's SDK, when the first request comes: most servers never speak A2A, and need not have it installed.
 *
 * @throws {RouseError} `BAD_REQUEST` when the SDK is not installed.
 */
export function loadA2a(): Promise<Loaded> {
  loading ??= load()
  return loading
}

async function load(): Promise<Loaded> {
  try {
    const [types, sdk, { AgentHandler }, { cardOf }] = await Promise.all([
      import("@a2a-js/sdk"),
      import("@a2a-js/sdk/server"),
      import("./agent-handler.ts"),
      import("./card.ts"),
    ])
    const { JsonRpcTransportHandler, ServerCallContext, validateVersion } = sdk
    return { types, JsonRpcTransportHandler, ServerCallContext, validateVersion, AgentHandler, cardOf }
  } catch (error) {
    loading = undefined
    if ((error as { readonly code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") throw error
    throw new RouseError(
      "BAD_REQUEST",
      "A2A needs a package that is not installed beside the server: npm install @a2a-js/sdk",
    )
  }
}
