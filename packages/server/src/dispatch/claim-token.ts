import { createHmac, timingSafeEqual } from "node:crypto"
import { type EntityUrl, parseEntityUrl, RouseError, type WakeInfo } from "@rouse/protocol"
import type { Store } from "@rouse/store"
import type { HeldLease } from "../handler-commit.ts"

const NAME = "claim-key"
const SECRET_BYTES = 32
/** How long a claim can be used at all. Its lease ends much sooner, unless it is renewed. */
const CLAIM_MS_MAX = 7 * 86_400_000
const TOKEN = /^([A-Za-z0-9_-]{1,4096})\.([A-Za-z0-9_-]{43})$/

interface Payload {
  readonly url: EntityUrl
  readonly wake: string
  readonly attempt: number
  readonly epoch: number
  readonly reasons: readonly WakeInfo["reasons"][number]["kind"][]
  readonly version?: string
  readonly atMs: number
}

/**
 * Claims: what a handler elsewhere shows with its commits. Signed by a secret in the store, so that every process that shares it knows them,
 * and none needs to remember them. A claim names one lease by its epoch; whether that is still held, the commit's guard decides.
 */
export class ClaimTokens {
  readonly #store: Store
  readonly #clock: () => number
  readonly #randomBytes: (count: number) => Uint8Array
  #secret: Promise<Buffer> | undefined

  constructor(store: Store, clock: () => number, randomBytes: (count: number) => Uint8Array) {
    this.#store = store
    this.#clock = clock
    this.#randomBytes = randomBytes
  }

  async make(lease: HeldLease): Promise<string> {
    const { id, attempt, epoch, reasons, version } = lease.wake
    const payload: Payload = {
      url: lease.url,
      wake: id,
      attempt,
      epoch,
      reasons: [...new Set(reasons.map((reason) => reason.kind))],
      ...(version === undefined ? {} : { version }),
      atMs: lease.atMs,
    }
    const text = Buffer.from(JSON.stringify(payload)).toString("base64url")
    return `${text}.${await this.#macOf(text)}`
  }

  /**
   * The lease that a claim is of.
   *
   * @throws {RouseError} `UNAUTHENTICATED` when it is missing, forged or too old.
   */
  async check(authorization: string | null): Promise<HeldLease> {
    const [, text = "", mac = ""] = TOKEN.exec(authorization?.replace(/^Bearer /i, "") ?? "") ?? []
    const expected = await this.#macOf(text)
    if (text === "" || !timingSafeEqual(Buffer.from(mac), Buffer.from(expected)))
      throw new RouseError("UNAUTHENTICATED", "Authorization: must be `Bearer` and the claim of this wake")
    const payload = JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as Payload
    if (payload.atMs + CLAIM_MS_MAX <= this.#clock())
      throw new RouseError("UNAUTHENTICATED", "Authorization: the claim is too old")
    const { url, wake, attempt, epoch, reasons, version, atMs } = payload
    return {
      url,
      type: parseEntityUrl(url)?.type ?? "",
      atMs,
      wake: {
        id: wake,
        attempt,
        epoch,
        first: false,
        reasons: reasons.map((kind) => ({ kind })),
        deadlineAtMs: null,
        ...(version === undefined ? {} : { version }),
      },
    }
  }

  async #macOf(text: string): Promise<string> {
    this.#secret ??= this.#load()
    try {
      return createHmac("sha256", await this.#secret)
        .update(text)
        .digest("base64url")
    } catch (error) {
      this.#secret = undefined
      throw error
    }
  }

  async #load(): Promise<Buffer> {
    const known = await this.#store.secrets(NAME)
    const [oldest] = known.toSorted((a, b) => a.createdAtMs - b.createdAtMs || (a.name < b.name ? -1 : 1))
    if (oldest !== undefined) return Buffer.from(oldest.value, "base64url")
    const secret = Buffer.from(this.#randomBytes(SECRET_BYTES)).toString("base64url")
    await this.#store.commit({ ops: [{ op: "secret", name: NAME, secret, nowMs: this.#clock() }] })
    // Another process may have been first: whatever the store has is the one.
    const [kept] = await this.#store.secrets(NAME)
    return Buffer.from(kept?.value ?? secret, "base64url")
  }
}
