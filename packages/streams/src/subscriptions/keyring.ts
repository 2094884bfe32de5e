import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto"
import type { KeyObject } from "node:crypto"
import type { Secret, Store } from "@rouse/store"
import type { Clock } from "../clock.ts"
import { KEY_ROTATION_MS, scheduleKeys } from "../core/key-schedule.ts"
import type { SubscriptionOptions } from "./options.ts"

/** A key as everyone may see it. */
export interface PublicKey {
  readonly kty: "OKP"
  readonly crv: "Ed25519"
  readonly x: string
  readonly kid: string
  readonly use: "sig"
  readonly alg: "EdDSA"
}

/** What making keys needs of the world. */
export type KeyringOptions = Pick<SubscriptionOptions, "randomBytes" | "keyRotationMs">

type Schedule = ReturnType<typeof scheduleKeys<Secret>>

interface Signer {
  readonly name: string
  readonly value: string
  readonly key: KeyObject
  readonly kid: string
}

const PREFIX = "webhook-key/"
const SEED_BYTES = 32
/** How long what was looked up is believed: nothing beside the days that a new key is published before it signs. */
const LOOK_MS = 1_000
/** What PKCS #8 has before an Ed25519 seed. RFC 8410 §7. */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex")

/**
 * The keys that webhooks are signed with. They live in the store and are looked up at least every second of use, so that several processes
 * agree; whoever finds that a new one is needed makes it.
 */
export class Keyring {
  readonly #store: Store
  readonly #clock: Clock
  readonly #options: KeyringOptions
  #tended: Promise<void> | undefined
  #last: Signer | undefined
  #seen: { readonly atMs: number; readonly schedule: Schedule } | undefined

  constructor(store: Store, clock: Clock, options: KeyringOptions) {
    this.#store = store
    this.#clock = clock
    this.#options = options
  }

  /** The set to publish. */
  async published(): Promise<readonly PublicKey[]> {
    const { publish } = await this.#schedule()
    return publish.map((secret) => publicKeyOf(privateKeyOf(secret)))
  }

  /** The identifier of the key that signs now. */
  async signingKeyId(): Promise<string> {
    return publicKeyOf(privateKeyOf(await this.#signing())).kid
  }

  /** The value of `Webhook-Signature`: over the time in seconds, a point, and the body. */
  async sign(body: string): Promise<string> {
    const { key, kid } = this.#signer(await this.#signing())
    const seconds = Math.floor(this.#clock.now() / 1000)
    const signature = sign(null, Buffer.from(`${seconds}.${body}`), key).toString("base64url")
    return `t=${seconds},kid=${kid},ed25519=${signature}`
  }

  /** Reading a key takes longer than signing with it. */
  #signer({ name, value }: Secret): Signer {
    if (this.#last?.name === name && this.#last.value === value) return this.#last
    const key = keyOfSeed(Buffer.from(value, "base64url"))
    this.#last = { name, value, key, kid: publicKeyOf(key).kid }
    return this.#last
  }

  async #signing(): Promise<Secret> {
    const { sign: secret } = await this.#schedule()
    if (secret === undefined) throw new Error("a keyring was tended and has no key")
    return secret
  }

  async #schedule(): Promise<Schedule> {
    const atMs = this.#clock.now()
    if (this.#seen && this.#seen.atMs <= atMs && atMs < this.#seen.atMs + LOOK_MS) return this.#seen.schedule
    const schedule = await this.#tendedSchedule()
    this.#seen = { atMs, schedule }
    return schedule
  }

  async #tendedSchedule(): Promise<Schedule> {
    const found = await this.#look()
    if (!found.create && found.drop.length === 0) return found
    this.#tended ??= this.#tend().finally(() => {
      this.#tended = undefined
    })
    await this.#tended
    return this.#look()
  }

  async #look(): Promise<Schedule> {
    const rotationMs = this.#options.keyRotationMs ?? KEY_ROTATION_MS
    return scheduleKeys(await this.#store.secrets(PREFIX), this.#clock.now(), rotationMs)
  }

  async #tend(): Promise<void> {
    const { create, drop } = await this.#look()
    const nowMs = this.#clock.now()
    const ops = drop.map((old) => ({ op: "secret", name: old.name, secret: null, nowMs }) as const)
    if (!create) return void (await this.#store.commit({ ops }))
    const seed = Buffer.from(this.#options.randomBytes(SEED_BYTES))
    const { kid } = publicKeyOf(keyOfSeed(seed))
    const made = { op: "secret", name: PREFIX + kid, secret: seed.toString("base64url"), nowMs } as const
    await this.#store.commit({ ops: [...ops, made] })
  }
}

function privateKeyOf(secret: Secret): KeyObject {
  return keyOfSeed(Buffer.from(secret.value, "base64url"))
}

function keyOfSeed(seed: Buffer): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: "der", type: "pkcs8" })
}

/** The identifier is the key's thumbprint: RFC 7638. */
function publicKeyOf(key: KeyObject): PublicKey {
  const { x = "" } = createPublicKey(key).export({ format: "jwk" })
  const thumbprint = createHash("sha256").update(JSON.stringify({ crv: "Ed25519", kty: "OKP", x }))
  return { kty: "OKP", crv: "Ed25519", x, kid: `ds_${thumbprint.digest("base64url")}`, use: "sig", alg: "EdDSA" }
}
