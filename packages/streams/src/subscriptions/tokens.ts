import { createHmac, timingSafeEqual } from "node:crypto"
import { RouseError } from "@rouse/protocol"
import type { Store } from "@rouse/store"
import type { Clock } from "../clock.ts"
import type { SubscriptionOptions } from "./options.ts"

const NAME = "wake-token"
const SECRET_BYTES = 32
const TOKEN = /^([0-9]{1,15})\.([0-9]{1,15})\.([A-Za-z0-9_-]{43})$/

/** Tokens that prove to be the holder of one wake: of one subscription and generation, for as long as that is the newest. */
export class Tokens {
  readonly #store: Store
  readonly #clock: Clock
  readonly #options: SubscriptionOptions
  #secret: Promise<Buffer> | undefined

  constructor(store: Store, clock: Clock, options: SubscriptionOptions) {
    this.#store = store
    this.#clock = clock
    this.#options = options
  }

  async make(serial: number, generation: number): Promise<string> {
    return `${serial}.${generation}.${await this.#macOf(serial, generation)}`
  }

  /**
   * The generation that a token is of.
   *
   * @throws {RouseError} `TOKEN_INVALID` when it is missing, forged, or of another subscription.
   */
  async check(authorization: string | null, serial: number): Promise<number> {
    const [, subject, generation, mac = ""] = TOKEN.exec(authorization?.replace(/^Bearer /i, "") ?? "") ?? []
    if (subject === undefined || Number(subject) !== serial) throw invalid()
    const expected = await this.#macOf(serial, Number(generation))
    if (!timingSafeEqual(Buffer.from(mac), Buffer.from(expected))) throw invalid()
    return Number(generation)
  }

  async #macOf(serial: number, generation: number): Promise<string> {
    this.#secret ??= this.#load()
    try {
      return createHmac("sha256", await this.#secret)
        .update(`${serial}.${generation}`)
        .digest("base64url")
    } catch (error) {
      this.#secret = undefined
      throw error
    }
  }

  async #load(): Promise<Buffer> {
    const [known] = await this.#store.secrets(NAME)
    if (known !== undefined) return Buffer.from(known.value, "base64url")
    const secret = Buffer.from(this.#options.randomBytes(SECRET_BYTES))
    const nowMs = this.#clock.now()
    await this.#store.commit({ ops: [{ op: "secret", name: NAME, secret: secret.toString("base64url"), nowMs }] })
    return secret
  }
}

function invalid(): RouseError {
  return new RouseError("TOKEN_INVALID", "Authorization: must be `Bearer` and the token of this wake")
}
