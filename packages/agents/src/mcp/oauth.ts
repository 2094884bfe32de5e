import { RouseError } from "@rouse/protocol"
import type { OAuthClientProvider } from "@modelcontextprotocol/client"
import { valueOf } from "./credential.ts"
import type { Credential, SecretSource } from "./credential.ts"

/** What is kept of a sign-in: a secret, so it is kept where secrets are, never in rows or arguments. */
export type McpTokens = NonNullable<Awaited<ReturnType<OAuthClientProvider["tokens"]>>>

/** Where the tokens of one sign-in are kept. The agent knows this reference and never what is behind it. */
export interface McpTokenStore {
  get(): Promise<McpTokens | undefined>
  /** New tokens, after a refresh. */
  set(tokens: McpTokens): Promise<void>
}

export interface McpOAuthOptions {
  readonly clientId: string
  readonly clientSecret?: Credential
  /** Finds the client secret when it is one by name. */
  readonly secrets?: SecretSource
  readonly tokens: McpTokenStore
  readonly scope?: string
}

/**
 * Signs in to an MCP server with tokens that someone got before, and refreshes them when they expire. Nobody is there to sign in during a
 * wake: without tokens, or when they are refused for good, the connection fails.
 *
 * @throws {RouseError} `UNAUTHENTICATED`, from the call, when a person has to sign in again.
 */
export function mcpOAuth(options: McpOAuthOptions): OAuthClientProvider {
  let refused: string | undefined
  const refresh = async (): Promise<URLSearchParams> => {
    const token = (await options.tokens.get())?.refresh_token
    if (token === undefined || token === refused) return signIn()
    refused = token
    return new URLSearchParams({ grant_type: "refresh_token", refresh_token: token })
  }
  return {
    redirectUrl: undefined,
    clientMetadata: {
      redirect_uris: [],
      grant_types: ["refresh_token"],
      ...(options.scope === undefined ? {} : { scope: options.scope }),
    },
    clientInformation: async () => ({
      client_id: options.clientId,
      ...(options.clientSecret === undefined
        ? {}
        : { client_secret: await valueOf(options.clientSecret, options.secrets) }),
    }),
    tokens: () => options.tokens.get(),
    async saveTokens(tokens) {
      refused = undefined
      // A server that leaves the refresh token as it is need not send it.
      await options.tokens.set({ ...(await options.tokens.get()), ...tokens })
    },
    prepareTokenRequest: refresh,
    redirectToAuthorization: signIn,
    saveCodeVerifier: () => undefined,
    codeVerifier: signIn,
  }
}

function signIn(): never {
  throw new RouseError("UNAUTHENTICATED", "the MCP server wants a person to sign in again: put new tokens in the store")
}
