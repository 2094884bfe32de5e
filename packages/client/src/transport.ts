import { RouseError } from "@rouse/protocol"
import type { Clock } from "./clock.ts"
import { systemClock, throwIfAborted } from "./clock.ts"
import { baseUrl } from "./core/address.ts"
import { ATTEMPTS_MAX, RECONNECTS_MAX, retryAfterMs, RETRY_AFTER_MS_MAX, retryDelayMs } from "./core/backoff.ts"
import { isPassing, problemError, unreachableError } from "./core/problem.ts"
import type { ClientOptions } from "./options.ts"

/** One request. It is sent again after a passing failure, so one that changes something must have a `key`. */
export interface Call {
  readonly method?: "GET" | "PUT" | "POST" | "DELETE"
  readonly path: string
  readonly body?: object
  /** Sent as they are, instead of a body of JSON. A stream is sent once, however it fails. */
  readonly bytes?: NonNullable<RequestInit["body"]>
  readonly mediaType?: string
  /** The idempotency key. */
  readonly key?: string
  readonly accept?: string
  readonly signal?: AbortSignal | undefined
}

/** How the client's methods reach the server: with the token, retries, and errors as `RouseError`s. */
export interface Transport {
  readonly url: string
  readonly clock: Clock
  readonly newKey: () => string
  /** The answer's JSON; undefined when it has no body. */
  readonly json: <T>(call: Call) => Promise<T>
  /** An answer whose body is still to be read. Only the way to its head is retried. */
  readonly open: (call: Call) => Promise<Response>
  /** Whether answers can be read as they come, as far as is known: event streams are of no use otherwise. */
  readonly streams: () => boolean
  /** For readers that make their own requests: safe ones only. */
  readonly fetch: typeof globalThis.fetch
  /** Waits before reconnecting for the `attempt`th time in vain, from 1; throws `error` when it is not worth it. */
  readonly pause: (attempt: number, error: unknown, signal: AbortSignal | undefined) => Promise<void>
}

export function createTransport(options: ClientOptions): Transport {
  const url = baseUrl(options.url)
  const clock = options.clock ?? systemClock
  const random = options.random ?? Math.random
  const attemptsMax = options.attempts ?? ATTEMPTS_MAX
  const send = options.fetch ?? ((input, init) => globalThis.fetch(input, init))
  let streams = options.streaming ?? new Response("").body !== undefined

  async function once<T>(input: string, init: RequestInit, read: (response: Response) => Promise<T>): Promise<T> {
    const headers = new Headers(init.headers)
    const token = typeof options.token === "function" ? await options.token() : options.token
    if (token !== undefined && token !== "") headers.set("authorization", `Bearer ${token}`)
    try {
      const response = await send(input, { ...init, headers })
      // A runtime that streams has a body, or null where there is none.
      if (response.body === undefined) streams = false
      if (!response.ok) throw await failureOf(response)
      return await read(response)
    } catch (error) {
      throwIfAborted(init.signal)
      throw error instanceof Failure || RouseError.is(error) ? error : unreachableError(url, error)
    }
  }

  async function attempts<T>(input: string, init: RequestInit, read: (response: Response) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(input, init, read)
      } catch (thrown) {
        const error = thrown instanceof Failure ? thrown.error : thrown
        const asked = thrown instanceof Failure ? retryAfterMs(thrown.retryAfter, clock.nowMs()) : 0
        if (attempt >= attemptsMax || isStream(init.body) || !isPassing(error) || asked > RETRY_AFTER_MS_MAX)
          throw error
        await clock.sleep(Math.max(asked, retryDelayMs(attempt, random())), init.signal ?? undefined)
      }
    }
  }

  return {
    url,
    clock,
    newKey: options.newKey ?? randomKey,
    streams: () => streams,
    json: (call) => attempts(url + call.path, initOf(call), readJson) as Promise<never>,
    open: (call) => attempts(url + call.path, initOf(call), async (response) => response),
    fetch: (input, init) => attempts(addressOf(input), init ?? {}, readWhole),
    async pause(attempt, error, signal) {
      if (attempt > RECONNECTS_MAX || !isPassing(error)) throw error
      await clock.sleep(retryDelayMs(attempt, random()), signal)
    },
  }
}

/** An answer that says no, with what a retry needs to know of it. */
class Failure extends Error {
  readonly error: RouseError
  readonly retryAfter: string | null

  constructor(error: RouseError, retryAfter: string | null) {
    super(error.message, { cause: error })
    this.error = error
    this.retryAfter = retryAfter
  }
}

async function failureOf(response: Response): Promise<Failure> {
  const text = await response.text()
  return new Failure(problemError(response.status, parsed(text)), response.headers.get("retry-after"))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function readJson(response: Response): Promise<unknown> {
  const text = await response.text()
  if (text === "") return undefined
  const body = parsed(text)
  if (body === undefined) throw new RouseError("INTERNAL", `${response.url} did not answer JSON; is it a Rouse server?`)
  return body
}

/** The answer with its body read, so that a cut in the middle is tried again; an event stream is left as it is. */
async function readWhole(response: Response): Promise<Response> {
  if (response.body === undefined) return whole(await response.text(), response)
  if (isEventStream(response) || response.body === null) return response
  return new Response(await response.arrayBuffer(), { status: response.status, headers: response.headers })
}

/** An answer of a runtime without streams. Statuses that have no body may not be given one. */
function whole(text: string, { status, headers }: Response): Response {
  return new Response(text === "" ? null : text, { status, headers })
}

export function isEventStream(response: Response): boolean {
  return response.headers.get("content-type")?.includes("text/event-stream") ?? false
}

function initOf(call: Call): RequestInit {
  const headers = new Headers({ accept: call.accept ?? "application/json" })
  if (call.body) headers.set("content-type", "application/json")
  else if (call.mediaType !== undefined) headers.set("content-type", call.mediaType)
  if (call.key !== undefined) headers.set("idempotency-key", call.key)
  return {
    method: call.method ?? "GET",
    headers,
    ...(call.body && { body: JSON.stringify(call.body) }),
    ...(call.bytes && { body: call.bytes }),
    ...(isStream(call.bytes) && { duplex: "half" as const }),
    ...(call.signal && { signal: call.signal }),
  }
}

function isStream(body: unknown): boolean {
  return typeof ReadableStream === "function" && body instanceof ReadableStream
}

function addressOf(input: RequestInfo | URL): string {
  return input instanceof Request ? input.url : String(input)
}

/** A version 4 UUID. Where `randomUUID` is missing (a page without TLS, React Native) it is made of random bytes. */
function randomKey(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID()
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const hex = Array.from(bytes, (byte, n) => {
    const fixed = n === 6 ? (byte & 0x0f) | 0x40 : n === 8 ? (byte & 0x3f) | 0x80 : byte
    return fixed.toString(16).padStart(2, "0")
  }).join("")
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
}
