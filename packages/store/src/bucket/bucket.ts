import { createHash } from "node:crypto"
import { RouseError } from "@rouse/protocol"
import { AwsClient } from "aws4fetch"
import type { BucketConfig } from "./config.ts"

/** How long one request may take to be answered. */
const REQUEST_MS_MAX = 60_000
const TRIES_MAX = 4
const RETRY_MS = 200
const ERROR_CHARS_MAX = 300

export interface BucketOptions {
  readonly config: BucketConfig
  readonly fetch: typeof globalThis.fetch
  readonly sleep: (ms: number) => Promise<void>
  /** What is in it, for errors: "attachments". */
  readonly holds: string
  /** Default: a minute. */
  readonly requestMsMax?: number
  /** Default: 4. */
  readonly triesMax?: number
}

/** Objects of one bucket, by key. A request that fails for a passing reason is made again. */
export class Bucket {
  readonly #aws: AwsClient
  readonly #options: BucketOptions

  constructor(options: BucketOptions) {
    const { accessKeyId, secretAccessKey, sessionToken, region } = options.config
    this.#options = options
    this.#aws = new AwsClient({
      accessKeyId,
      secretAccessKey,
      region,
      service: "s3",
      retries: 0,
      ...(sessionToken === undefined ? {} : { sessionToken }),
    })
  }

  async put(key: string, data: Uint8Array): Promise<void> {
    await this.#ask("PUT", key, { body: data })
  }

  /** Bytes of an object, from `start` on up to and without `end`. */
  async get(key: string, start: number, end: number): Promise<ReadableStream<Uint8Array>> {
    const { body } = await this.#ask("GET", key, { headers: { range: `bytes=${start}-${end - 1}` }, hold: true })
    if (body === null) throw new RouseError("STORE_UNAVAILABLE", `${this.#name} answered without a body`)
    return body
  }

  /**
   * The same, whole; without a range, all of the object.
   *
   * @throws {RouseError} `OVERLOADED` when the bucket cannot be reached or is busy; `STORE_UNAVAILABLE` when it refuses.
   */
  async bytes(key: string, start?: number, end?: number): Promise<Uint8Array> {
    const range = start === undefined || end === undefined ? {} : { headers: { range: `bytes=${start}-${end - 1}` } }
    return new Uint8Array(await (await this.#ask("GET", key, range)).arrayBuffer())
  }

  /** One that is not there is no error. */
  async delete(key: string): Promise<void> {
    await this.#ask("DELETE", key, { missing: true })
  }

  /** Begins an object of several parts. Returns its upload id. */
  async begin(key: string): Promise<string> {
    const text = await (await this.#ask("POST", key, { query: "uploads=" })).text()
    const id = /<UploadId>([^<]+)<\/UploadId>/.exec(text)?.[1]
    if (id === undefined) throw new RouseError("STORE_UNAVAILABLE", `${this.#name} began no upload of several parts`)
    return id
  }

  /** @param number From 1. Returns the part's tag. */
  async part(key: string, upload: string, number: number, data: Uint8Array): Promise<string> {
    const query = `partNumber=${number}&uploadId=${encodeURIComponent(upload)}`
    const { headers } = await this.#ask("PUT", key, { query, body: data })
    return headers.get("etag") ?? ""
  }

  async complete(key: string, upload: string, tags: readonly string[]): Promise<void> {
    const parts = tags.map(
      (tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${tag.replaceAll('"', "&quot;")}</ETag></Part>`,
    )
    const body = new TextEncoder().encode(`<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`)
    const query = `uploadId=${encodeURIComponent(upload)}`
    const text = await (await this.#ask("POST", key, { query, body })).text()
    // It may have begun its answer before it failed.
    if (text.includes("<Error>")) throw this.#failed(200, text)
  }

  async abort(key: string, upload: string): Promise<void> {
    await this.#ask("DELETE", key, { query: `uploadId=${encodeURIComponent(upload)}`, missing: true })
  }

  async #ask(method: string, key: string, request: Request): Promise<Response> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#once(method, key, request)
      } catch (error) {
        if (tries >= (this.#options.triesMax ?? TRIES_MAX) || !RouseError.is(error, "OVERLOADED")) throw error
        await this.#options.sleep(RETRY_MS * 2 ** (tries - 1))
      }
    }
  }

  async #once(method: string, key: string, { query, body, headers, missing, hold }: Request): Promise<Response> {
    const url = `${this.#options.config.base}${key}${query === undefined ? "" : `?${query}`}`
    const sha256 = createHash("sha256")
      .update(body ?? "")
      .digest("hex")
    const signed = await this.#aws.sign(url, {
      method,
      headers: { ...headers, "x-amz-content-sha256": sha256 },
      ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
    })
    const waiting = new AbortController()
    const timer = setTimeout(
      () => waiting.abort(new Error("it took too long")),
      this.#options.requestMsMax ?? REQUEST_MS_MAX,
    )
    try {
      const response = await this.#options.fetch(signed, { signal: waiting.signal })
      if (response.ok)
        return hold === true ? response : new Response(await response.arrayBuffer(), { headers: response.headers })
      const text = await response.text()
      if (response.status === 404 && missing === true) return new Response(null)
      throw this.#failed(response.status, text)
    } catch (error) {
      if (RouseError.is(error)) throw error
      throw new RouseError("OVERLOADED", `${this.#name} cannot be reached`, { cause: error })
    } finally {
      clearTimeout(timer)
    }
  }

  get #name(): string {
    return `the bucket of ${this.#options.holds}`
  }

  /** An answer that says no. Its code says why; the rest of it may name keys. */
  #failed(status: number, text: string): RouseError {
    const code = /<Code>([A-Za-z0-9]{1,60})<\/Code>/.exec(text.slice(0, ERROR_CHARS_MAX * 10))?.[1] ?? "no reason"
    const passes = status >= 500 || status === 429 || status === 408
    return new RouseError(passes ? "OVERLOADED" : "STORE_UNAVAILABLE", `${this.#name} answered ${status}: ${code}`, {
      details: { status },
    })
  }
}

interface Request {
  readonly query?: string
  readonly body?: Uint8Array
  readonly headers?: Record<string, string>
  /** That there is no such object is no error. */
  readonly missing?: boolean
  /** The answer's body is read by the caller. */
  readonly hold?: boolean
}
