import { ERRORS, RouseError } from "@rouse/protocol"
import type { ErrorCode, Problem } from "@rouse/protocol"
import { isRowConflict } from "../row-conflict.ts"

/** Calls of the server's API, by a token or a claim. */
export class ServerCalls {
  readonly #server: string
  readonly #fetch: typeof fetch

  /** @param server `https://rouse.example.com` */
  constructor(server: string, fetcher: typeof fetch) {
    this.#server = server
    this.#fetch = fetcher
  }

  /**
   * Posts JSON and returns the JSON that it is answered; null for an empty answer.
   *
   * @throws {RouseError} of the server's code; `STORE_UNAVAILABLE` when it cannot be reached; the signal's reason.
   */
  async post<T>(path: string, token: string | undefined, body: unknown, signal?: AbortSignal): Promise<T> {
    const response = await this.#send("POST", path, token, body, signal)
    const text = await response.text()
    return (text === "" ? null : JSON.parse(text)) as T
  }

  async put<T>(path: string, token: string | undefined, body: unknown, signal?: AbortSignal): Promise<T> {
    const response = await this.#send("PUT", path, token, body, signal)
    return (await response.json()) as T
  }

  /**
   * A request as it is given, and its answer, still to be read; undefined where there is nothing, unless that is an error too.
   *
   * @throws {RouseError} as `post`.
   */
  async raw(path: string, token: string, init: RequestInit = {}, must = false): Promise<Response | undefined> {
    const headers = { ...(init.headers as Record<string, string> | undefined), authorization: `Bearer ${token}` }
    try {
      return await this.#answer(path, { redirect: "manual", ...init, headers })
    } catch (error) {
      if (!must && RouseError.is(error, "NOT_FOUND")) return undefined
      throw error
    }
  }

  async #send(
    method: string,
    path: string,
    token: string | undefined,
    body: unknown,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    return await this.#answer(path, {
      method,
      redirect: "manual",
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    })
  }

  async #answer(path: string, init: RequestInit): Promise<Response> {
    let response: Response
    try {
      response = await this.#fetch.call(undefined, this.#server + path, init)
    } catch (cause) {
      init.signal?.throwIfAborted()
      throw new RouseError("STORE_UNAVAILABLE", `the server at ${this.#server} cannot be reached`, { cause })
    }
    if (response.ok) return response
    throw problemIn(response.status, await response.text().catch(() => ""))
  }
}

/** Whether the server may well take the same call in a moment. */
export function isPassing(error: unknown): boolean {
  if (isRowConflict(error)) return false
  return RouseError.is(error, "STORE_UNAVAILABLE", "OVERLOADED", "SHUTTING_DOWN", "RATE_LIMITED", "CONFLICT")
}

function problemIn(status: number, text: string): RouseError {
  const problem = parse(text)
  if (problem && Object.hasOwn(ERRORS, problem.code)) {
    return new RouseError(problem.code, problem.detail, { details: problem.details ?? {} })
  }
  const code: ErrorCode = status >= 500 || status === 429 ? "STORE_UNAVAILABLE" : "BAD_REQUEST"
  return new RouseError(code, `the server, or what is before it, answered ${status}`)
}

function parse(text: string): Problem | undefined {
  try {
    const value = JSON.parse(text) as Partial<Problem> | null
    return typeof value?.code === "string" && typeof value.detail === "string" ? (value as Problem) : undefined
  } catch {
    // Not a problem document: the status has to say it.
    return undefined
  }
}
