import { RouseError } from "@rouse/protocol"
import { signatureBase, signatureParams } from "../core/http-signature.ts"
import type { Components } from "../core/http-signature.ts"
import type { Secret } from "../secrets/secret.ts"
import { vaultOf } from "../secrets/vault.ts"
import type { ToolContext } from "../tool.ts"

/** Signs each request (RFC 9421): its method, its URL, the digest of its body (RFC 9530) and its idempotency key. */
export interface HttpSigning {
  /** How the receiver knows the key. */
  readonly keyId: string
  readonly algorithm: "hmac-sha256" | "ed25519"
  /** The shared key as text; for `ed25519` the private key, PKCS #8, as PEM or base64. */
  readonly key: Secret
}

/** The headers that a signed request gains. */
export async function signed(
  { keyId, algorithm, key }: HttpSigning,
  request: {
    readonly method: string
    readonly url: URL
    readonly headers: Readonly<Record<string, string>>
    readonly body?: Uint8Array<ArrayBuffer>
    /** The header that has the idempotency key. */
    readonly keyHeader: string
  },
  ctx: ToolContext,
): Promise<Readonly<Record<string, string>>> {
  const digest = `sha-256=:${base64(await crypto.subtle.digest("SHA-256", request.body ?? new Uint8Array()))}:`
  const idempotencyKey = request.headers[request.keyHeader]
  const contentType = request.headers["content-type"]
  const components: Components = [
    ["@method", request.method],
    ["@target-uri", request.url.href],
    ["content-digest", digest],
    ...(contentType === undefined ? [] : [["content-type", contentType] as const]),
    ...(idempotencyKey === undefined ? [] : [[request.keyHeader, idempotencyKey] as const]),
  ]
  const params = signatureParams(components, { created: Math.floor(ctx.host.clock() / 1_000), keyId, algorithm })
  const base = new TextEncoder().encode(signatureBase(components, params))
  const signature = await sign(algorithm, await ctx.secret(key), base, key.name, ctx)
  return { "content-digest": digest, "signature-input": `sig1=${params}`, signature: `sig1=:${base64(signature)}:` }
}

async function sign(
  algorithm: HttpSigning["algorithm"],
  value: string,
  base: Uint8Array<ArrayBuffer>,
  name: string,
  ctx: ToolContext,
): Promise<ArrayBuffer> {
  const { subtle } = crypto
  if (algorithm === "hmac-sha256") {
    const bytes = new TextEncoder().encode(value)
    const key = await subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"])
    return await subtle.sign("HMAC", key, base)
  }
  const text = value.replace(/-----[^-]+-----|\s/g, "")
  vaultOf(ctx.host).add(text)
  try {
    const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
    const key = await subtle.importKey("pkcs8", bytes, { name: "Ed25519" }, false, ["sign"])
    return await subtle.sign("Ed25519", key, base)
  } catch {
    // What the runtime says may show the key.
    throw new RouseError("SECRET_MISSING", `secret ${name} is not an Ed25519 private key (PKCS #8, PEM or base64)`)
  }
}

function base64(bytes: ArrayBuffer): string {
  return btoa(Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join(""))
}
