import { KEYS_PATH, RouseError } from "@rouse/protocol"

/** The published half of a key that a server signs with. */
export interface PublicKeyInfo {
  readonly kid: string
  readonly x: string
}

/** How often the keys are asked for at most, whatever arrives. */
const REFRESH_MS_MIN = 10_000
/** Keys of one server. */
const KEYS_MAX = 100

/**
 * The keys that a server signs with, kept in memory. A name that is not known makes it ask again: that is how a rotation is met. Keys that the
 * server no longer publishes are forgotten then.
 */
export class ServerKeys {
  readonly #server: string
  readonly #fetch: typeof fetch
  readonly #clock: () => number
  #keys = new Map<string, Promise<CryptoKey>>()
  #askedAtMs = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | undefined

  /** @param known Keys that need not be asked for, so that the first wake of a cold host needs no request. */
  constructor(server: string, fetcher: typeof fetch, clock: () => number, known: readonly PublicKeyInfo[] = []) {
    this.#server = server
    this.#fetch = fetcher
    this.#clock = clock
    this.#keep(known)
  }

  /**
   * The key of a name; undefined when the server has none.
   *
   * @throws {RouseError} `STORE_UNAVAILABLE` when the server cannot be asked.
   */
  async key(kid: string): Promise<CryptoKey | undefined> {
    const known = this.#keys.get(kid)
    if (known) return await known
    if (this.#askedAtMs + REFRESH_MS_MIN > this.#clock() && !this.#asking) return undefined
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined
    })
    await this.#asking
    return await this.#keys.get(kid)
  }

  async #ask(): Promise<void> {
    let body: unknown
    try {
      const response = await this.#fetch.call(undefined, this.#server + KEYS_PATH)
      if (!response.ok) throw new Error(`it answered ${response.status}`)
      body = await response.json()
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new RouseError("STORE_UNAVAILABLE", `the keys of ${this.#server} cannot be read: ${why}`, { cause })
    }
    this.#askedAtMs = this.#clock()
    const { keys } = body as { readonly keys?: readonly PublicKeyInfo[] }
    this.#keys = new Map()
    this.#keep(Array.isArray(keys) ? keys.filter(isKey).slice(0, KEYS_MAX) : [])
  }

  #keep(keys: readonly PublicKeyInfo[]): void {
    for (const { kid, x } of keys) {
      const key = crypto.subtle.importKey("jwk", { kty: "OKP", crv: "Ed25519", x }, { name: "Ed25519" }, false, [
        "verify",
      ])
      key.catch(() => this.#keys.delete(kid))
      this.#keys.set(kid, key)
    }
  }
}

function isKey(value: unknown): value is PublicKeyInfo {
  const { kid, x } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>
  return typeof kid === "string" && typeof x === "string"
}
