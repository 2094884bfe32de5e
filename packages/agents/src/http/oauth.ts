import { RouseError } from "@rouse/protocol"
import type { Host } from "../host.ts"
import type { Secret } from "../secrets/secret.ts"
import { vaultOf } from "../secrets/vault.ts"
import type { ToolContext } from "../tool.ts"
import { basicOf } from "./auth.ts"
import { runtimeFetch } from "./outbound.ts"
import { readBody } from "./read-body.ts"

/** A token is asked for anew so long before it ends. */
const EARLY_MS = 30_000
/** How long a token is kept that does not say. */
const LIFE_MS = 300_000
const ANSWER_BYTES_MAX = 65_536
const ANSWER_MS_MAX = 15_000

export interface ClientCredentialsOptions {
  readonly tokenUrl: string
  readonly clientId: string | Secret
  readonly clientSecret: Secret
  readonly scopes?: readonly string[]
  /** Where the service takes the client's credentials. `basic` when absent. */
  readonly credentials?: "basic" | "body"
  /** Whether the token's address may be of this machine or its network. */
  readonly private?: boolean
}

/** Tokens by OAuth 2 client credentials (RFC 6749 §4.4). They are in memory only, one for each host, and their values are secrets. */
export class ClientCredentials {
  readonly #options: ClientCredentialsOptions
  readonly #tokens = new WeakMap<Host, Kept>()

  constructor(options: ClientCredentialsOptions) {
    this.#options = options
  }

  /**
   * @param fresh Whether the kept one was refused.
   * @throws {RouseError} `BACKEND_FAILED`, `ADDRESS_REFUSED`, `SECRET_MISSING`.
   */
  async token(ctx: ToolContext, fresh: boolean): Promise<string> {
    const { host } = ctx
    const kept = this.#tokens.get(host)
    if (kept !== undefined && !fresh && (kept.endsAtMs === undefined || kept.endsAtMs > host.clock()))
      return await kept.token
    const next: Kept = { token: Promise.resolve(""), endsAtMs: undefined }
    next.token = this.#ask(ctx, next)
    this.#tokens.set(host, next)
    next.token.catch(() => this.#tokens.get(host) === next && this.#tokens.delete(host))
    return await next.token
  }

  /** For all calls that wait for it, so no one call's signal ends it. */
  async #ask(ctx: ToolContext, kept: Kept): Promise<string> {
    const { host } = ctx
    const { status, text } = await this.#post(ctx)
    const answer = read(text)
    const token = answer["access_token"]
    if (status !== 200 || typeof token !== "string" || token === "") {
      const reason = typeof answer["error"] === "string" ? `: ${ctx.redact(answer["error"]).slice(0, 100)}` : ""
      throw new RouseError(
        "BACKEND_FAILED",
        `${origin(this.#options.tokenUrl)} gave no token (${status})${reason}. Nothing was carried out.`,
      )
    }
    vaultOf(host).add(token)
    const seconds = Number(answer["expires_in"])
    const lifeMs = seconds > 0 ? seconds * 1_000 : LIFE_MS
    kept.endsAtMs = host.clock() + Math.max(lifeMs - EARLY_MS, lifeMs / 2)
    return token
  }

  async #post(ctx: ToolContext): Promise<{ readonly status: number; readonly text: string }> {
    const { tokenUrl, clientId, clientSecret, scopes, credentials } = this.#options
    const form = new URLSearchParams({ grant_type: "client_credentials" })
    if (scopes !== undefined && scopes.length > 0) form.set("scope", scopes.join(" "))
    const headers: Record<string, string> = {
      "content-type": "application/x-www-form-urlencoded",
      accept: "application/json",
    }
    if (credentials === "body") {
      form.set("client_id", typeof clientId === "string" ? clientId : await ctx.secret(clientId))
      form.set("client_secret", await ctx.secret(clientSecret))
    } else headers["authorization"] = `Basic ${await basicOf({ user: clientId, password: clientSecret }, ctx)}`
    const send = ctx.host.fetch ?? runtimeFetch
    try {
      const response = await send({
        url: new URL(tokenUrl),
        method: "POST",
        headers,
        body: new TextEncoder().encode(form.toString()),
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
        isPrivateAllowed: this.#options.private ?? ctx.host.isPrivateAllowed ?? false,
      })
      const body = await readBody(response, ANSWER_BYTES_MAX)
      return { status: response.status, text: body === undefined ? "" : new TextDecoder().decode(body) }
    } catch (error) {
      if (RouseError.is(error)) throw error
      throw new RouseError(
        "BACKEND_FAILED",
        `${origin(tokenUrl)} gave no token: it did not answer. Nothing was carried out.`,
      )
    }
  }
}

interface Kept {
  token: Promise<string>
  /** Undefined while it is asked for. */
  endsAtMs: number | undefined
}

/** OAuth 2 client credentials: the token is asked for when a tool is first called, kept in memory, and renewed. */
export function clientCredentials(options: ClientCredentialsOptions): ClientCredentials {
  if (!URL.canParse(options.tokenUrl)) {
    throw new RouseError("INVALID_ARGS", `tokenUrl: ${JSON.stringify(options.tokenUrl)} is not a URL`, {
      details: { field: "tokenUrl" },
    })
  }
  return new ClientCredentials(options)
}

function read(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  } catch {
    // Not JSON: there is no token in it.
    return {}
  }
}

function origin(url: string): string {
  return new URL(url).origin
}
