import { RouseError } from "@rouse/protocol"
import type { Secret } from "../secrets/secret.ts"
import type { ToolContext } from "../tool.ts"
import type { ClientCredentials } from "./oauth.ts"

/** How a request proves who sends it. Secrets are resolved for each request. */
export type HttpAuth =
  | { readonly bearer: Secret }
  | { readonly basic: { readonly user: string | Secret; readonly password: Secret } }
  | { readonly header: string; readonly value: Secret }
  | { readonly query: string; readonly value: Secret }
  | { readonly cookie: string; readonly value: Secret }
  | { readonly oauth2: ClientCredentials }

/** What a request gains. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
}

/** @param fresh Whether a token that was kept is no longer good. */
export async function credentialsOf(
  auths: readonly HttpAuth[],
  ctx: ToolContext,
  fresh: boolean,
): Promise<Credentials> {
  const headers: Record<string, string> = {}
  const query: Record<string, string> = {}
  const cookies: string[] = []
  for (const auth of auths) {
    if ("bearer" in auth) headers["authorization"] = `Bearer ${await ctx.secret(auth.bearer)}`
    else if ("basic" in auth) headers["authorization"] = `Basic ${await basicOf(auth.basic, ctx)}`
    else if ("header" in auth) headers[auth.header.toLowerCase()] = await ctx.secret(auth.value)
    else if ("query" in auth) query[auth.query] = await ctx.secret(auth.value)
    else if ("cookie" in auth) cookies.push(`${auth.cookie}=${await ctx.secret(auth.value)}`)
    else headers["authorization"] = `Bearer ${await auth.oauth2.token(ctx, fresh)}`
  }
  if (cookies.length > 0) headers["cookie"] = cookies.join("; ")
  return { headers: checked(headers), query }
}

/** User and password as `Basic` wants them: UTF-8, in base64. */
export async function basicOf(
  { user, password }: { readonly user: string | Secret; readonly password: Secret },
  ctx: ToolContext,
): Promise<string> {
  const name = typeof user === "string" ? user : await ctx.secret(user)
  const bytes = new TextEncoder().encode(`${name}:${await ctx.secret(password)}`)
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
}

/** The runtime's own error would show the value. */
function checked(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(headers)) {
    if (/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) continue
    throw new RouseError("SECRET_MISSING", `the secret for the header ${name} cannot stand in a header`)
  }
  return headers
}
