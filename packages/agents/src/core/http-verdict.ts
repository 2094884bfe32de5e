import { backoffMs } from "@rouse/protocol"
import type { Effect, ErrorCode } from "@rouse/protocol"

/** How one try of a request ended. */
export type Tried =
  /** It was answered. */
  | { readonly kind: "answered"; readonly status: number; readonly retryAfterMs?: number; readonly words: string }
  /** It was answered with success, and the answer cannot be read. */
  | { readonly kind: "unreadable"; readonly words: string }
  /** It never left: nothing happened. */
  | { readonly kind: "unsent"; readonly words: string }
  /** It may have left, and was not answered. */
  | { readonly kind: "cut"; readonly words: string }

export type Verdict =
  | { readonly kind: "use" }
  | { readonly kind: "again"; readonly waitMs: number }
  | { readonly kind: "fail"; readonly code: ErrorCode; readonly words: string }

export interface TryLimits {
  /** Tries in all. */
  readonly attempts: number
  readonly delayMs: number
  readonly delayMsMax: number
}

/** Statuses of a server that did not act on the request. */
const BUSY: ReadonlySet<number> = new Set([425, 429])
/** Statuses that say nothing about whether it did. */
const FAULTS: ReadonlySet<number> = new Set([408, 500, 502, 503, 504, 507, 520, 521, 522, 523, 524, 529])

/**
 * What to do after one try, by what a second one could do to the world (P2):
 *
 * | | pure, idempotent | reconcilable | once |
 * | --- | --- | --- | --- |
 * | never left | again | again | again |
 * | 429, or 503 with `Retry-After` | again | again | fail |
 * | cut off, or a server's fault | again | unknown: it is asked | unknown |
 * | answered, unreadable | fail | unknown: it is asked | fail |
 * | any other refusal | fail | fail | fail |
 *
 * @param attempt From 1.
 * @param random In [0, 1).
 */
export function verdictOf(effect: Effect, tried: Tried, attempt: number, limits: TryLimits, random: number): Verdict {
  const again = (words: string, leastMs?: number): Verdict => {
    const waitMs = leastMs ?? backoffMs(attempt, limits.delayMs, limits.delayMsMax, random)
    if (attempt < limits.attempts && waitMs <= limits.delayMsMax) return { kind: "again", waitMs }
    return { kind: "fail", code: "BACKEND_FAILED", words }
  }
  const isSafe = effect === "pure" || effect === "idempotent"
  const unknown = (words: string): Verdict => (isSafe ? again(words) : { kind: "fail", code: "OUTCOME_UNKNOWN", words })
  switch (tried.kind) {
    case "unsent":
      return again(`${tried.words}. It was not carried out.`)
    case "cut":
      return unknown(`${tried.words}. It may or may not have been carried out.`)
    case "unreadable": {
      const words = `${tried.words}. It was carried out: do not just call it again.`
      if (effect === "reconcilable") return { kind: "fail", code: "OUTCOME_UNKNOWN", words }
      return { kind: "fail", code: "BACKEND_FAILED", words: isSafe ? `${tried.words}.` : words }
    }
    case "answered":
      return answered(effect, tried, again, unknown)
  }
}

function answered(
  effect: Effect,
  { status, retryAfterMs, words }: Extract<Tried, { kind: "answered" }>,
  again: (words: string, leastMs?: number) => Verdict,
  unknown: (words: string) => Verdict,
): Verdict {
  if (status >= 200 && status < 300) return { kind: "use" }
  if (BUSY.has(status) || (status === 503 && retryAfterMs !== undefined)) {
    const later = retryAfterMs === undefined ? "later" : `in ${Math.ceil(retryAfterMs / 1_000)} seconds`
    const said = `${words}. It was not carried out; try again ${later}.`
    return effect === "once" ? { kind: "fail", code: "BACKEND_FAILED", words: said } : again(said, retryAfterMs)
  }
  if (FAULTS.has(status) || status >= 500) return unknown(`${words}. It may or may not have been carried out.`)
  return { kind: "fail", code: "BACKEND_REFUSED", words: `${words}.${ADVICE[status] ?? ""}` }
}

/** What a model can do about a refusal. */
const ADVICE: Readonly<Record<number, string>> = {
  400: " Correct the input and call it again.",
  401: " The credentials are not accepted: tell the person, calling again does not help.",
  403: " The credentials do not allow this: tell the person, calling again does not help.",
  404: " There is no such thing: check the identifiers.",
  409: " It conflicts with what is there: look before you call again.",
  410: " It is gone.",
  413: " The input is too large.",
  422: " Correct the input and call it again.",
}
