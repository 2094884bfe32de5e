import { RouseError } from "@rouse/protocol"
import type { ServerKeys } from "./keys.ts"

/** How far a delivery's time may be from ours. */
export const REPLAY_WINDOW_MS = 300_000
/** Deliveries that are remembered, so that a second one of the same name is refused. */
const DELIVERIES_MAX = 10_000

const SIGNATURE = /^t=([0-9]{1,12}),kid=([A-Za-z0-9_-]{1,128}),ed25519=([A-Za-z0-9_-]{86})$/
const encoder = new TextEncoder()

/**
 * Checks that a body is what the server signed, and lately. The signature is over the time, a point, and the whole body.
 *
 * @throws {RouseError} `UNAUTHENTICATED` saying what is wrong; `STORE_UNAVAILABLE` when the server's keys cannot be read.
 */
export async function verify(header: string | null, body: Uint8Array, keys: ServerKeys, nowMs: number): Promise<void> {
  const [, seconds, kid, signature] = SIGNATURE.exec(header ?? "") ?? []
  if (seconds === undefined || kid === undefined || signature === undefined)
    throw new RouseError("UNAUTHENTICATED", "Webhook-Signature: must be t=<seconds>,kid=<key>,ed25519=<signature>")
  if (Math.abs(Number(seconds) * 1000 - nowMs) > REPLAY_WINDOW_MS)
    throw new RouseError("UNAUTHENTICATED", "Webhook-Signature: was made too long ago, or a clock is wrong")
  const key = await keys.key(kid)
  if (!key) throw new RouseError("UNAUTHENTICATED", "Webhook-Signature: the key is not one of this handler's server")
  const isValid = await crypto.subtle.verify(
    { name: "Ed25519" },
    key,
    bytesOf(signature),
    joined(encoder.encode(`${seconds}.`), body),
  )
  if (!isValid) throw new RouseError("UNAUTHENTICATED", "Webhook-Signature: is not of this body")
}

/** Deliveries of late, by name. A host that forgets them is still safe from most harm: a replayed claim's lease is over. */
export class SeenDeliveries {
  readonly #seen = new Map<string, number>()

  /** @throws {RouseError} `CONFLICT` when this delivery was here before. */
  note(delivery: string, nowMs: number): void {
    if (this.#seen.has(delivery)) throw new RouseError("CONFLICT", "delivery: was here before")
    for (const [known, atMs] of this.#seen) {
      if (this.#seen.size < DELIVERIES_MAX && atMs + 2 * REPLAY_WINDOW_MS > nowMs) break
      this.#seen.delete(known)
    }
    this.#seen.set(delivery, nowMs)
  }
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"))
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

function joined(head: Uint8Array, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(head.length + body.length)
  whole.set(head)
  whole.set(body, head.length)
  return whole
}
