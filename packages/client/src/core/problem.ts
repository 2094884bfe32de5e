import type { ErrorCode, ErrorDetails } from "@rouse/protocol"
import { ERRORS, RouseError } from "@rouse/protocol"

/** What a status means when whoever answered did not say it in a problem document: a proxy, mostly. */
const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: "BAD_REQUEST",
  401: "UNAUTHENTICATED",
  403: "FORBIDDEN",
  404: "NOT_FOUND",
  405: "METHOD_NOT_ALLOWED",
  410: "GONE",
  413: "TOO_LARGE",
  415: "UNSUPPORTED_MEDIA_TYPE",
  429: "RATE_LIMITED",
  502: "OVERLOADED",
  503: "OVERLOADED",
  504: "TIMED_OUT",
}

/**
 * The error that an answer other than 2xx stands for. A problem document's code is kept; one that this version does not know
 * becomes `INTERNAL`.
 *
 * @param body The parsed body, if it was JSON.
 */
export function problemError(status: number, body: unknown): RouseError {
  const problem = isObject(body) ? body : {}
  const code = typeof problem["code"] === "string" ? knownCode(problem["code"]) : (CODE_OF_STATUS[status] ?? "INTERNAL")
  const detail = [problem["detail"], problem["title"]].find((text) => typeof text === "string" && text !== "")
  const message = typeof detail === "string" ? detail : `the server answered ${status}`
  const details = isObject(problem["details"]) ? (problem["details"] as ErrorDetails) : {}
  return new RouseError(code, message, { details: { ...details, status } })
}

/** A request that got no answer. `details.unreachable` is true. */
export function unreachableError(url: string, cause: unknown): RouseError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new RouseError("INTERNAL", `cannot reach ${url}: ${why}`, { cause, details: { unreachable: true } })
}

/** Whether the same request may succeed a little later. */
export function isPassing(error: unknown): error is RouseError {
  if (!RouseError.is(error)) return false
  if (error.details["unreachable"] === true) return true
  const status = error.details["status"]
  return error.retryable && (status === 429 || status === 502 || status === 503 || status === 504)
}

function knownCode(code: string): ErrorCode {
  return Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : "INTERNAL"
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
