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
  return await receiptOf(key, principal, `${request.method}\n${pathname}\n${body}`)
}

/**
 * The receipt key of what a principal asks for under a name of its own.
 *
 * @param asked All that makes it the same request.
 */
export async function receiptOf(name: string, principal: Principal, asked: string): Promise<ReceiptKey> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(asked))
  return { key: `${principal.id}\n${name}`, fingerprint: Buffer.from(digest).toString("base64url") }
}

/**
 * Does what a request asks for, once for its key: the same request again, also at the same time, is answered as the first was.
 *
 * @param act Has its answer put into the commit it makes, so that both happen or neither. The answer is a value of JSON.
 * @throws {RouseError} `IDEMPOTENCY_MISMATCH` when the key was used for another request; and as `act` does.
 */
export async function once<T>(
  plane: Plane,
  receipt: ReceiptKey | undefined,
  act: (note: (draft: CommitDraft, answer: T) => void) => Promise<T>,
): Promise<T> {
  const known = await findReceipt(plane, receipt)
  if (known !== undefined) return known as T
  try {
    return await act((draft, answer) => putReceipt(plane, draft, receipt, answer as Json))
  } catch (error) {
    // The same request came twice at once, and the other was first: what this one stumbled over may be what that one made.
    const other = RouseError.is(error) ? await findReceipt(plane, receipt) : undefined
    if (other === undefined) throw error
    return other as T
  }
}

/** An expired receipt holds until it is swept: the store's guard takes it so too. */
async function findReceipt(plane: Plane, receipt: ReceiptKey | undefined): Promise<Json | undefined> {
  if (!receipt) return undefined
  const stored = await plane.store.receipt(receipt.key)
  if (!stored) return undefined
  if (stored.fingerprint === receipt.fingerprint) return stored.response
  throw new RouseError("IDEMPOTENCY_MISMATCH", "Idempotency-Key: was used for a request with another path or body")
}

function putReceipt(plane: Plane, draft: CommitDraft, receipt: ReceiptKey | undefined, response: Json): void {
  if (!receipt) return
  const expiresAtMs = draft.nowMs + plane.limits.receiptMs
  draft.also(
    { op: "putReceipt", receipt: { ...receipt, response, expiresAtMs } },
    { kind: "noReceipt", key: receipt.key },
  )
}
