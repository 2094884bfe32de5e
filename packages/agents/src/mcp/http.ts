import { RouseError } from "@rouse/protocol"
import type { OAuthClientProvider } from "@modelcontextprotocol/client"
import { idOf, keyOf, valueOf, valuesOf } from "./credential.ts"
import type { Credential, SecretSource } from "./credential.ts"
import type { McpEndpoint, McpTransport } from "./options.ts"
import { loadSdk } from "./sdk.ts"

/** Bytes of one answer, also of one stream of events, before the server is cut off. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024
/** Opening again costs two requests. An open stream of events keeps a process alive: not for long. */
const IDLE_MS = 10_000
const RECONNECTS_MAX = 2

export interface McpHttpOptions {
  /** The server's Streamable HTTP address. */
  readonly url: string
  /** A bearer token. By reference: `() => process.env.FILES_TOKEN`. */
  readonly token?: Credential
  readonly headers?: Readonly<Record<string, Credential>>
  /** Signs in by OAuth instead: `mcpOAuth`, or any provider of the MCP SDK. */
  readonly oauth?: OAuthClientProvider
  /** Used instead of the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch
  /** How long a connection that nobody uses is kept, milliseconds. 10,000 when absent. */
  readonly idleMs?: number
}

/**
 * An MCP server over Streamable HTTP.
 *
 * @throws {RouseError} `INVALID_ARGS` when `url` is not an HTTP address.
 */
export function mcpHttp(options: McpHttpOptions): McpEndpoint {
  const url = parse(options.url)
  return {
    kind: "http",
    key: keyOf(["http", { ...options, oauth: options.oauth && idOf(options.oauth) }]),
    idleMs: options.idleMs ?? IDLE_MS,
    open: (secrets) => open(url, options, secrets),
  }
}

async function open(url: URL, options: McpHttpOptions, secrets: SecretSource | undefined): Promise<McpTransport> {
  const { StreamableHTTPClientTransport } = await loadSdk()
  const { token, oauth } = options
  const authProvider = oauth ?? (token === undefined ? undefined : { token: () => valueOf(token, secrets) })
  const headers = await valuesOf(options.headers ?? {}, secrets)
  const transport = new StreamableHTTPClientTransport(url, {
    requestInit: { headers },
    fetch: bounded(options.fetch ?? globalThis.fetch),
    ...(authProvider ? { authProvider } : {}),
    reconnectionOptions: {
      initialReconnectionDelay: 500,
      maxReconnectionDelay: 5_000,
      reconnectionDelayGrowFactor: 2,
      maxRetries: RECONNECTS_MAX,
    },
  })
  return { transport }
}

type Fetch = (input: string | URL, init?: RequestInit) => Promise<Response>

/** A fetch whose answers end with an error when they are larger than they may be. */
function bounded(fetch: typeof globalThis.fetch): Fetch {
  return async (input, init) => {
    const response = await fetch(input, init)
    if (response.body === null) return response
    let bytes = 0
    const count = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength
        if (bytes > ANSWER_BYTES_MAX)
          throw new RouseError("TOO_LARGE", `an answer of the MCP server is over ${ANSWER_BYTES_MAX} bytes`)
        controller.enqueue(chunk)
      },
    })
    const { status, statusText, headers } = response
    return new Response(response.body.pipeThrough(count), { status, statusText, headers })
  }
}

function parse(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol === "http:" || parsed?.protocol === "https:") return parsed
  throw new RouseError("INVALID_ARGS", `mcpHttp: url must be an http or https address`, { details: { field: "url" } })
}
