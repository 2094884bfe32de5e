import { type Json, type Principal, RouseError } from "@rouse/protocol"
import type { CommitDraft } from "./core/draft.ts"
import type { Plane } from "./plane.ts"

const KEY_LENGTH_MAX = 255

/** What a mutating request with an `Idempotency-Key` is known by. */
export interface ReceiptKey {
  readonly key: string
  /** Of the method, the path and the body. */
  readonly fingerprint: string
}

/**
 * The receipt key of a request; undefined when it has no `Idempotency-Key`.
 *
 * @throws {RouseError} `BAD_REQUEST` when the header is empty or longer than 255 characters.
 */
export async function receiptKey(
  request: Request,
  principal: Principal,
  body: string,
): Promise<ReceiptKey | undefined> {
  const key = request.headers.get("idempotency-key")
  if (key === null) return undefined
  if (key === "" || key.length > KEY_LENGTH_MAX) {
    throw new RouseError("BAD_REQUEST", `Idempotency-Key: must be 1 to ${KEY_LENGTH_MAX} characters`)
  }
  const { pathname } = new URL(request.url)
  const bytes = new TextEncoder().encode(`${request.method}\n${pathname}\n${body}`)
  const digest = await crypto.subtle.digest("SHA-256", bytes)
  return { key: `${principal.id}\n${key}`, fingerprint: Buffer.from(digest).toString("base64url") }
}

/**
 * What a request with this key was answered; undefined when it is new.
 *
 * @throws {RouseError} `IDEMPOTENCY_MISMATCH` when the key was used for another request.
 */
export async function findReceipt(plane: Plane, receipt: ReceiptKey | undefined): Promise<Json | undefined> {
  if (!receipt) return undefined
  const stored = await plane.store.receipt(receipt.key)
  if (!stored || stored.expiresAtMs <= plane.clock()) return undefined
  if (stored.fingerprint === receipt.fingerprint) return stored.response
  throw new RouseError("IDEMPOTENCY_MISMATCH", "Idempotency-Key: was used for a request with another path or body")
}

/** Adds the answer to the commit that the request makes, so that both happen or neither. */
export function putReceipt(plane: Plane, draft: CommitDraft, receipt: ReceiptKey | undefined, response: Json): void {
  if (!receipt) return
  const expiresAtMs = draft.nowMs + plane.limits.receiptMs
  draft.also(
    { op: "putReceipt", receipt: { ...receipt, response, expiresAtMs } },
    { kind: "noReceipt", key: receipt.key },
  )
}
