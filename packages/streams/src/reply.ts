import { concatBytes } from "@rouse/store"
import type { Problem } from "@rouse/protocol"
import { ERRORS, problemOf } from "@rouse/protocol"

/** A response as data. */
export interface Reply {
  readonly status: number
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Several pieces are one body. */
  readonly body?: Uint8Array | readonly Uint8Array[] | Feed | string
}

/** A body that is made while it is read. */
export interface Feed {
  /** The next bytes, however long they take; undefined at the end. One call at a time. Never rejects. */
  next(): Promise<Uint8Array | undefined>
  /** Its reader is gone, or wants no more. */
  cancel(): void
}

const RETRY_AFTER_SECONDS = 1

/** The problem document for an error, with the protocol's own headers beside it. */
export function problemReply(error: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  const problem: Problem = problemOf(error)
  const wait = (problem.status >= 500 || problem.status === 429) && ERRORS[problem.code].retryable
  const seconds = problem.details?.["retryAfterSeconds"]
  return {
    status: problem.status,
    headers: {
      "content-type": "application/problem+json",
      ...(wait ? { "retry-after": String(typeof seconds === "number" ? seconds : RETRY_AFTER_SECONDS) } : {}),
      ...headers,
    },
    body: JSON.stringify(problem),
  }
}

/** Several pieces as one; a single one as it is. */
export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const [only] = chunks
  if (only !== undefined && chunks.length === 1) return only
  return concatBytes(chunks)
}
