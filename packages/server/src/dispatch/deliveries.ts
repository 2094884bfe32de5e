import { RouseError, SIGNATURE_HEADER } from "@rouse/protocol"
import { addressOf, checkWebhookUrl, type Keyring, type PublicKey, type SubscriptionOptions } from "@rouse/streams"
import { connectionFailure, EndpointFailure, statusFailure } from "./endpoint-failure.ts"

/** What sending webhooks needs of the world: `nodeWebhooks()` of `@rouse/streams/node` has all but the settings. */
export interface WebhookOptions extends Pick<
  SubscriptionOptions,
  "fetch" | "resolve" | "randomBytes" | "keyRotationMs"
> {
  /** Whether wakes may be sent to this machine, also without TLS. For development and tests. Default false. */
  readonly allowLoopback?: boolean
}

const decoder = new TextDecoder("utf-8", { fatal: true })

/** Sends signed requests to handlers: to public addresses only, no redirect followed, and a bounded part of the answer read. */
export class Deliveries {
  readonly #options: WebhookOptions
  readonly #keyring: Keyring
  readonly #answerBytesMax: number

  constructor(options: WebhookOptions, keyring: Keyring, answerBytesMax: number) {
    this.#options = options
    this.#keyring = keyring
    this.#answerBytesMax = answerBytesMax
  }

  /** The keys to publish. */
  keys(): Promise<readonly PublicKey[]> {
    return this.#keyring.published()
  }

  /** @throws {RouseError} `WEBHOOK_URL_REJECTED`. */
  check(url: string): void {
    checkWebhookUrl(url, this.#options.allowLoopback === true)
  }

  /**
   * Posts a JSON text and returns the JSON that it is answered.
   *
   * @throws {EndpointFailure} and nothing else, unless `signal` aborts.
   */
  async post(endpoint: string, body: string, signal: AbortSignal): Promise<unknown> {
    const allowLoopback = this.#options.allowLoopback === true
    const url = checkWebhookUrl(endpoint, allowLoopback)
    try {
      const address = await addressOf(url, allowLoopback, this.#options.resolve)
      const headers = {
        "content-type": "application/json",
        accept: "application/json",
        [SIGNATURE_HEADER]: await this.#keyring.sign(body),
      }
      const request = { url, address, headers, body, responseBytesMax: this.#answerBytesMax, signal }
      const answer = await this.#options.fetch(request)
      const failure = statusFailure(answer.status)
      if (failure) throw failure
      if (answer.body === undefined)
        throw new EndpointFailure("bad", `the handler's answer is larger than ${this.#answerBytesMax} bytes`)
      return parse(answer.body)
    } catch (error) {
      signal.throwIfAborted()
      if (RouseError.is(error)) throw new EndpointFailure("unreachable", error.message, { cause: error })
      throw connectionFailure(error)
    }
  }
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(body))
  } catch (cause) {
    throw new EndpointFailure("bad", "the handler's answer is not JSON", { cause })
  }
}
