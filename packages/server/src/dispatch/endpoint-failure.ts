/**
 * How an endpoint failed to do its part:
 * - `unreachable`: the wake did not begin there. It costs nothing but time.
 * - `lost`: it was cut off. Whatever it did is on the log or is resolved by its effect class.
 * - `bad`: the answer is none. It costs the wake an attempt.
 */
export class EndpointFailure extends Error {
  readonly kind: "unreachable" | "lost" | "bad"

  constructor(kind: "unreachable" | "lost" | "bad", message: string, options: ErrorOptions = {}) {
    super(message, options)
    this.name = "EndpointFailure"
    this.kind = kind
  }
}

const NEVER_SENT: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
])

/** What a connection's error says of the endpoint. Its address is left out: it may hold a secret. */
export function connectionFailure(error: unknown): EndpointFailure {
  if (error instanceof EndpointFailure) return error
  const { code = "", message } = error as NodeJS.ErrnoException
  const isTls = code.startsWith("ERR_TLS") || code.startsWith("CERT_") || code.includes("_CERT")
  if (NEVER_SENT.has(code) || isTls)
    return new EndpointFailure("unreachable", `the handler cannot be reached: ${code}`, { cause: error })
  return new EndpointFailure("lost", `the handler's answer broke off: ${code === "" ? message : code}`, {
    cause: error,
  })
}

/** What a status other than success says of the endpoint; undefined for success. */
export function statusFailure(status: number): EndpointFailure | undefined {
  if (status >= 200 && status < 300) return undefined
  if (status >= 300 && status < 400)
    return new EndpointFailure("bad", `the handler answered with a redirect (${status}), which is not followed`)
  if (status === 502 || status === 504) return new EndpointFailure("lost", `the handler's host answered ${status}`)
  if ([401, 403, 404, 405, 410, 429, 503].includes(status))
    return new EndpointFailure("unreachable", `the handler's host refused the wake: it answered ${status}`)
  return new EndpointFailure("bad", `the handler answered ${status}`)
}
