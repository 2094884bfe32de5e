import type { Json } from "@rouse/protocol"

export interface StoredReceipt {
  readonly key: string
  /** Of the request, so that another one under the same key is refused. */
  readonly fingerprint: string
  readonly response: Json
  readonly expiresAtMs: number
}
