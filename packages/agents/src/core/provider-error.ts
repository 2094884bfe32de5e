/** What an error of a model provider means for the run. */
export type ProviderFailure =
  | { readonly kind: "retry"; readonly message: string; readonly retryAfterMs?: number }
  /** The same request would be refused again. */
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "overflow"; readonly message: string }

/** Statuses that may pass: timeouts, conflicts, rate limits, overload (529 is Anthropic's) and the server's own faults. */
const PASSING: ReadonlySet<number> = new Set([408, 409, 429, 529])

const OVERFLOW =
  /context[_ ](length|window)|maximum context|prompt is too long|input is too long|too many (input )?tokens|exceeds? the (maximum|context)|input token count|string_above_max_length|request_too_large/i

const QUOTA = /insufficient_quota|billing|credit balance/i

const TRANSIENT_TYPES = /overloaded|rate_limit|api_error|server_error|timeout|unavailable|internal/i

/** Errors of the AI SDK that say the request itself is wrong. */
const MISUSES: ReadonlySet<string> = new Set([
  "AI_InvalidArgumentError",
  "AI_InvalidPromptError",
  "AI_LoadAPIKeyError",
  "AI_LoadSettingError",
  "AI_NoSuchModelError",
  "AI_UnsupportedFunctionalityError",
])

const TEXT_CHARS_MAX = 500

/**
 * Reads an error that a provider's SDK threw or streamed: `APICallError`, a stream error payload, or whatever a cut connection gives.
 *
 * @param nowMs To turn a `Retry-After` date into a wait.
 * @param clean Takes out of the words what must never be shown.
 */
export function readProviderError(error: unknown, nowMs: number, clean: (text: string) => string): ProviderFailure {
  const facts = factsOf(error)
  const message = clean(facts.message).slice(0, TEXT_CHARS_MAX)
  const evidence = `${facts.message} ${facts.type} ${facts.body}`
  if (isOverflow(facts.status, evidence)) return { kind: "overflow", message }
  if (facts.status !== undefined) {
    const passes = (PASSING.has(facts.status) || facts.status >= 500) && !QUOTA.test(evidence)
    if (!passes) return { kind: "refused", message: `${message} (${facts.status})` }
    const retryAfterMs = retryAfter(facts.headers, nowMs)
    return {
      kind: "retry",
      message: `${message} (${facts.status})`,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    }
  }
  if (facts.type !== "" && facts.retryable !== true && !TRANSIENT_TYPES.test(facts.type))
    return { kind: "refused", message }
  if (facts.misused) return { kind: "refused", message }
  return { kind: "retry", message }
}

/** An SDK reports a connection that was cut while the answer streamed with the status of its beginning: 200. That is no status here. */
interface Facts {
  readonly message: string
  readonly type: string
  readonly body: string
  readonly status?: number
  readonly headers: Readonly<Record<string, string>>
  readonly retryable?: boolean
  /** Whether the SDK refused to send the request at all. */
  readonly misused: boolean
}

function factsOf(error: unknown): Facts {
  const raw = (typeof error === "object" && error !== null ? error : { message: String(error) }) as Record<
    string,
    unknown
  >
  const inner = (typeof raw["error"] === "object" && raw["error"] !== null ? raw["error"] : {}) as Record<
    string,
    unknown
  >
  const status = raw["statusCode"] ?? raw["status"]
  const type = raw["type"] ?? inner["type"] ?? raw["code"] ?? inner["code"]
  const isError = error instanceof Error
  return {
    message: textOf(raw["message"]) || textOf(inner["message"]) || "the provider gave no reason",
    type: !isError && typeof type === "string" ? type : "",
    body: textOf(raw["responseBody"] ?? raw["data"]),
    headers: (raw["responseHeaders"] ?? {}) as Readonly<Record<string, string>>,
    misused: isError && MISUSES.has(error.name),
    ...(typeof status === "number" && status >= 400 ? { status } : {}),
    ...(typeof raw["isRetryable"] === "boolean" ? { retryable: raw["isRetryable"] } : {}),
  }
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return ""
  return typeof value === "string" ? value : JSON.stringify(value)
}

function isOverflow(status: number | undefined, evidence: string): boolean {
  return (status === undefined || (status >= 400 && status < 500 && status !== 429)) && OVERFLOW.test(evidence)
}

/** `Retry-After` in seconds or as an HTTP date, and `retry-after-ms`. */
export function retryAfter(headers: Readonly<Record<string, string>>, nowMs: number): number | undefined {
  const millis = Number(headers["retry-after-ms"])
  if (headers["retry-after-ms"] !== undefined && Number.isFinite(millis)) return Math.max(0, millis)
  const value = headers["retry-after"]
  if (value === undefined) return undefined
  const seconds = Number(value)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1_000)
  const atMs = Date.parse(value)
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs)
}

const KEY_LIKE = /\b(sk|pk|rk|key|AIza)[-_][A-Za-z0-9_*-]{6,}|\bAIza[A-Za-z0-9_-]{10,}|\bBearer\s+\S+/g

/** Takes known secrets, and what looks like one, out of a text. */
export function redact(text: string, secrets: readonly string[]): string {
  let out = text
  for (const secret of secrets) if (secret.length >= 6) out = out.replaceAll(secret, "[redacted]")
  return out.replace(KEY_LIKE, "[redacted]")
}
