import type { Effect, JsonObject } from "@rouse/protocol"
import type { Transport } from "@modelcontextprotocol/client"
import type { McpAnnotations } from "../core/mcp-policy.ts"
import type { SecretSource } from "./credential.ts"

/** A way to reach an MCP server. Made by `mcpHttp` and `mcpStdio`. */
export interface McpEndpoint {
  readonly kind: "http" | "stdio"
  /** The same for the same configuration: connections are shared by it. Never shown. */
  readonly key: string
  /** How long a connection that nobody uses is kept, milliseconds. */
  readonly idleMs: number
  open(secrets: SecretSource | undefined): Promise<McpTransport>
}

/** The SDK's transport, and what a host needs beside it. */
export interface McpTransport {
  readonly transport: Transport
  /** Whether the process must stay alive for this connection: while a call waits for its answer. */
  hold?(held: boolean): void
  /** The last that the server wrote for people, for the error when it cannot be reached. */
  lastWords?(): string
}

export interface McpOptions {
  /** The server's name: what its tools' names begin with. 1 to 32 letters, digits, `_` and `-`. */
  readonly name: string
  readonly server: McpEndpoint
  /** The server's own names of the tools that are offered; all when absent. */
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  /**
   * Effect classes by the server's own tool name. Without one: `pure` for a tool that says it only reads, `idempotent` for one that says so,
   * else `once`.
   */
  readonly effects?: Readonly<Record<string, Effect>>
  /** False: what the server says of its tools does not count, and a tool without an entry in `effects` is `once`. */
  readonly trustHints?: boolean
  /** Whether a person must allow a call. */
  readonly approval?: boolean | ((call: McpCall) => boolean | Promise<boolean>)
  /** Milliseconds that a call may go without an answer or a sign of progress; ten times that in all. 60,000 when absent. */
  readonly timeout?: number
  /** Whether the model may list and read the server's resources. True when absent, and the server has any. */
  readonly resources?: boolean
  /** False: without the server the agent goes on without its tools. True when absent: `mcpTools` throws. */
  readonly required?: boolean
}

/** A call that is to be allowed or not. */
export interface McpCall {
  /** The server's own name of the tool. */
  readonly tool: string
  readonly input: JsonObject
  readonly annotations: McpAnnotations
}
