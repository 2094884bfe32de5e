/** What each error code means on the wire. This table is the one place that knows. */
export const ERRORS = {
  BAD_REQUEST: { status: 400, retryable: false, title: "The request is not valid" },
  BAD_JSON: { status: 400, retryable: false, title: "The body is not valid JSON" },
  BAD_OFFSET: { status: 400, retryable: false, title: "The offset is not valid" },
  INVALID_ARGS: { status: 422, retryable: false, title: "A value does not match its schema" },
  UNAUTHENTICATED: { status: 401, retryable: false, title: "A valid token is required" },
  FORBIDDEN: { status: 403, retryable: false, title: "The token does not allow this" },
  NOT_FOUND: { status: 404, retryable: false, title: "There is nothing here" },
  UNKNOWN_TYPE: { status: 404, retryable: false, title: "No such entity type" },
  UNKNOWN_ENTITY: { status: 404, retryable: false, title: "No such entity" },
  UNKNOWN_STREAM: { status: 404, retryable: false, title: "No such stream" },
  UNKNOWN_SUBSCRIPTION: { status: 404, retryable: false, title: "No such subscription" },
  UNKNOWN_VERSION: { status: 404, retryable: false, title: "No such version of this type" },
  WEBHOOK_URL_REJECTED: { status: 400, retryable: false, title: "Webhooks are not sent to this address" },
  UNKNOWN_EVENT_SUBSCRIPTION: { status: 404, retryable: false, title: "No such event subscription" },
  UNKNOWN_WEBHOOK_SOURCE: { status: 404, retryable: false, title: "No such webhook source" },
  SIGNATURE_INVALID: { status: 401, retryable: false, title: "The signature does not hold" },
  TOKEN_INVALID: { status: 401, retryable: false, title: "The token is not one of this subscription" },
  ALREADY_CLAIMED: { status: 409, retryable: true, title: "Another worker has the claim" },
  CLAIM_LOST: { status: 409, retryable: false, title: "The claim on the row is no longer held" },
  NO_PENDING_WORK: { status: 409, retryable: true, title: "Nothing waits to be handled" },
  ACK_REFUSED: { status: 409, retryable: false, title: "The offset cannot be acknowledged" },
  METHOD_NOT_ALLOWED: { status: 405, retryable: false, title: "This method is not allowed here" },
  CONFLICT: { status: 409, retryable: true, title: "Something else changed it first" },
  ALREADY_EXISTS: { status: 409, retryable: false, title: "It exists and differs" },
  IDEMPOTENCY_MISMATCH: {
    status: 409,
    retryable: false,
    title: "This idempotency key was used for another request",
  },
  LIMIT_REACHED: { status: 409, retryable: false, title: "There are as many as there may be" },
  FENCED: { status: 409, retryable: false, title: "A newer lease exists" },
  STOPPED: { status: 409, retryable: false, title: "The entity is stopped" },
  STREAM_CLOSED: { status: 409, retryable: false, title: "The stream is closed" },
  FORK_SOURCE_GONE: { status: 409, retryable: false, title: "The stream to fork was deleted" },
  CONTENT_TYPE_MISMATCH: { status: 409, retryable: false, title: "The content type differs from the stream's" },
  SEQUENCE_REGRESSION: { status: 409, retryable: false, title: "The sequence does not follow" },
  SEQUENCE_GAP: { status: 409, retryable: false, title: "A producer sequence is missing" },
  STALE_PRODUCER: { status: 403, retryable: false, title: "A newer producer epoch exists" },
  GONE: { status: 410, retryable: false, title: "It was deleted or is no longer kept" },
  TOO_LARGE: { status: 413, retryable: false, title: "The body is larger than allowed" },
  SLOW_SENDER: { status: 408, retryable: true, title: "The request took too long to arrive" },
  URI_TOO_LONG: { status: 414, retryable: false, title: "The target is longer than allowed" },
  HEADERS_TOO_LARGE: { status: 431, retryable: false, title: "The header is larger than allowed" },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, retryable: false, title: "This content type is not accepted here" },
  RANGE_NOT_SATISFIABLE: { status: 416, retryable: false, title: "There is nothing in this range" },
  DIGEST_MISMATCH: { status: 422, retryable: false, title: "The bytes are not those that were announced" },
  RATE_LIMITED: { status: 429, retryable: true, title: "Too many requests" },
  INTERNAL: { status: 500, retryable: false, title: "Rouse made a mistake" },
  OVERLOADED: { status: 503, retryable: true, title: "The server is at its limit" },
  SHUTTING_DOWN: { status: 503, retryable: true, title: "The server is shutting down" },
  STORE_UNAVAILABLE: { status: 503, retryable: true, title: "The store cannot take writes" },
  BUCKET_UNAVAILABLE: { status: 503, retryable: true, title: "What is in the bucket cannot be read now" },
  BUCKET_DAMAGED: { status: 500, retryable: false, title: "An object in the bucket is not what was put there" },
  STORE_LOCKED: { status: 503, retryable: false, title: "Another process owns the data directory" },
  STORE_DAMAGED: { status: 500, retryable: false, title: "The data directory cannot be used" },
  STORE_MOVED: { status: 503, retryable: false, title: "The store was moved elsewhere, or is being moved" },
  INTERRUPTED: { status: 409, retryable: false, title: "The run was interrupted" },
  TIMED_OUT: { status: 504, retryable: true, title: "It took too long" },
  HANDLER_UNREACHABLE: { status: 502, retryable: true, title: "The handler did not answer" },
  HANDLER_FAILED: { status: 500, retryable: true, title: "The handler failed" },
  BACKEND_FAILED: { status: 502, retryable: true, title: "A tool's backend failed" },
  BACKEND_REFUSED: { status: 502, retryable: false, title: "A tool's backend refused the request" },
  OUTCOME_UNKNOWN: { status: 502, retryable: false, title: "It was cut off and may have taken effect" },
  ADDRESS_REFUSED: { status: 403, retryable: false, title: "Tools do not call this address" },
  SECRET_MISSING: { status: 500, retryable: false, title: "A secret could not be resolved" },
  MODEL_FAILED: { status: 502, retryable: true, title: "The model provider failed" },
  MODEL_REFUSED: { status: 502, retryable: false, title: "The model provider refused the request" },
  CONTEXT_OVERFLOW: { status: 413, retryable: false, title: "The conversation is longer than the model accepts" },
  BUDGET_EXHAUSTED: { status: 402, retryable: false, title: "The budget is used up" },
} as const

export type ErrorCode = keyof typeof ERRORS

/** Structured facts about an error, safe to show: never a secret. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>

export interface RouseErrorOptions extends ErrorOptions {
  readonly details?: ErrorDetails
}

/** The one error class. Callers test `code` or `retryable`, never the message. */
export class RouseError extends Error {
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, options: RouseErrorOptions = {}) {
    super(message, options)
    this.name = "RouseError"
    this.code = code
    this.details = options.details ?? {}
  }

  get status(): number {
    return ERRORS[this.code].status
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable
  }

  /** True for a `RouseError` of this or another copy of the class, with one of `codes` if any are given. */
  static is(error: unknown, ...codes: readonly ErrorCode[]): error is RouseError {
    if (!(error instanceof Error) || error.name !== "RouseError" || !("code" in error)) return false
    return codes.length === 0 || codes.includes(error.code as ErrorCode)
  }
}

/** An RFC 9457 problem document. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: ErrorCode
  readonly detail: string
  readonly details?: ErrorDetails
}

/** The problem document for any thrown value. Unknown errors are reported without their message, which may hold secrets. */
export function problemOf(error: unknown): Problem {
  const known = RouseError.is(error) ? error : undefined
  const code = known?.code ?? "INTERNAL"
  return {
    type: `urn:rouse:error:${code.toLowerCase().replaceAll("_", "-")}`,
    title: ERRORS[code].title,
    status: ERRORS[code].status,
    code,
    detail: known?.message ?? "An unexpected error was recorded in the server's log.",
    ...(known && Object.keys(known.details).length > 0 ? { details: known.details } : {}),
  }
}
