import { RouseError } from "@rouse/protocol"
import type { Effect } from "@rouse/protocol"
import type { Client, RequestOptions } from "@modelcontextprotocol/client"
import { mcpLoss, mcpNext } from "../core/mcp-policy.ts"
import type { McpConnection } from "./connection.ts"

const TRIES_MAX = 3
const TIMEOUT_MS = 60_000
/** A call that shows progress may take this many times its timeout. */
const TIMEOUTS_MAX = 10

export interface CallRules {
  readonly effect: Effect
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number | undefined
}

/**
 * Asks a server, and again where that is safe: a request that was never sent, and one that was lost when it is `pure` or `idempotent`.
 *
 * @throws {RouseError} `OUTCOME_UNKNOWN` when nobody knows whether the server ran it: the ledger makes that `unknown` for a `once` call.
 *   `BACKEND_REFUSED` when the server answered with an error; `BACKEND_FAILED` when it cannot be reached.
 */
export async function callServer<T>(
  connection: McpConnection,
  { effect, signal, timeoutMs = TIMEOUT_MS }: CallRules,
  ask: (client: Client, limits: RequestOptions) => Promise<T>,
): Promise<T> {
  const limits: RequestOptions = {
    timeout: timeoutMs,
    maxTotalTimeout: timeoutMs * TIMEOUTS_MAX,
    resetTimeoutOnProgress: true,
    onprogress: () => undefined,
    ...(signal ? { signal } : {}),
  }
  for (let tries = 1; ; tries += 1) {
    let used: Client | undefined
    try {
      return await connection.use((client) => {
        used = client
        return ask(client, limits)
      }, signal)
    } catch (error) {
      if (RouseError.is(error, "TOO_LARGE")) throw new RouseError("OUTCOME_UNKNOWN", error.message, { cause: error })
      if (signal?.aborted || RouseError.is(error)) throw error
      const loss = mcpLoss(error)
      // A session or connection that is not there any more: the next try opens another.
      if (loss === "refused" && used) connection.retire(used)
      const next = mcpNext(loss, effect, tries, TRIES_MAX)
      if (next === "unknown") throw unknown(loss, error)
      if (next === "fail") throw failed(error)
    }
  }
}

function unknown(loss: string, cause: unknown): RouseError {
  const why = loss === "timeout" ? "did not answer in time" : "was lost before it answered"
  return new RouseError("OUTCOME_UNKNOWN", `the MCP server ${why}: ${wordsOf(cause)}`, { cause })
}

function failed(cause: unknown): RouseError {
  return new RouseError("BACKEND_REFUSED", `the MCP server refused: ${wordsOf(cause)}`, { cause })
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
