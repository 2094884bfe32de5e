import { RouseError, type WebhookSource } from "@rouse/protocol"
import { checkAge, type Claimed, claimed, type Headers } from "../core/webhook-signature.ts"

/** The value of a secret by its name. */
export type Secrets = (name: string) => string | undefined | Promise<string | undefined>

/** How old a signed time may be where the source does not say. */
const TOLERANCE_SECONDS = 300
/** A shorter secret is guessed. */
const SECRET_BYTES_MIN = 8

const encoder = new TextEncoder()

/**
 * Believes a request, or not. The signatures are compared in constant time.
 *
 * @throws {RouseError} `SIGNATURE_INVALID`; `SECRET_MISSING` when the source's secrets are not set where the server runs.
 */
export async function verify(
  source: WebhookSource,
  headers: Headers,
  body: Uint8Array,
  secrets: Secrets,
  nowMs: number,
): Promise<Claimed> {
  const claim = claimed(source, headers)
  const signed = Buffer.concat([encoder.encode(claim.before), body, encoder.encode(claim.after)])
  const values = await resolved(source, secrets)
  let holds = false
  for (const value of values) {
    const key = await keyOf(value, source, claim.algorithm)
    for (const signature of claim.signatures)
      holds = (await crypto.subtle.verify("HMAC", key, signature, signed)) || holds
  }
  if (!holds) throw new RouseError("SIGNATURE_INVALID", "the signature does not hold for this body and these secrets")
  // After the signature: a time that was made up says nothing.
  checkAge(claim.sentAt, source.toleranceSeconds ?? TOLERANCE_SECONDS, nowMs)
  return claim
}

async function resolved(source: WebhookSource, secrets: Secrets): Promise<readonly string[]> {
  const values: string[] = []
  for (const name of source.secrets) {
    const value = await secrets(name)
    if (value !== undefined && bytesOf(value, source).length >= SECRET_BYTES_MIN) values.push(value)
  }
  if (values.length > 0) return values
  throw new RouseError("SECRET_MISSING", `the webhook source ${source.name} has no secret that is set`)
}

async function keyOf(
  value: string,
  source: WebhookSource,
  hash: Claimed["algorithm"],
): Promise<Awaited<ReturnType<typeof crypto.subtle.importKey>>> {
  return crypto.subtle.importKey("raw", bytesOf(value, source), { name: "HMAC", hash }, false, ["verify"])
}

function bytesOf(value: string, { kind }: WebhookSource): Uint8Array<ArrayBuffer> {
  const isEncoded = kind === "standard" && value.startsWith("whsec_")
  return isEncoded ? new Uint8Array(Buffer.from(value.slice("whsec_".length), "base64")) : encoder.encode(value)
}
