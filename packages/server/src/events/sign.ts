const encoder = new TextEncoder()
const PREFIX = "whsec_"

/**
 * The headers of a request that is signed as Standard Webhooks says: `v1`, HMAC-SHA-256 of id, time and body.
 *
 * @param secret As text, or as `whsec_` and base64.
 */
export async function standardHeaders(
  secret: string,
  id: string,
  seconds: number,
  body: string,
): Promise<Record<"webhook-id" | "webhook-timestamp" | "webhook-signature", string>> {
  const bytes = secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), "base64") : encoder.encode(secret)
  const key = await crypto.subtle.importKey("raw", new Uint8Array(bytes), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ])
  const signature = await crypto.subtle.sign("HMAC", key, encoder.encode(`${id}.${seconds}.${body}`))
  return {
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    "webhook-signature": `v1,${Buffer.from(signature).toString("base64")}`,
  }
}
