import { RouseError } from "@rouse/protocol"

/** The official SDK, loaded when a server is first used. */
export type McpSdk = typeof import("@modelcontextprotocol/client")

let sdk: Promise<McpSdk> | undefined

/** @throws {RouseError} `BACKEND_FAILED` when the package is not installed. */
export function loadSdk(): Promise<McpSdk> {
  sdk ??= import("@modelcontextprotocol/client").catch((cause: unknown) => {
    sdk = undefined
    throw new RouseError(
      "BACKEND_FAILED",
      "MCP needs a package that is not installed: npm install @modelcontextprotocol/client",
      {
        cause,
      },
    )
  })
  return sdk
}
