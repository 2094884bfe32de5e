import { concatBytes } from "@rouse/store"
import type { Problem } from "@rouse/protocol"
import { ERRORS, problemOf } from "@rouse/protocol"

/** A response as data. */
export interface Reply {
  readonly status: number
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Several pieces are one body. */
  readonly body?: Uint8Array | readonly Uint8Array[] | Pieces | Feed | string
}

/** A body of known length that is made as it is taken: its reader holds a piece of it and not the whole. */
export interface Pieces {
  /** Of all of them together. */
  readonly byteLength: number
  /** The next; undefined at the end. Throws when there was to be more and cannot be. */
  take(): Uint8Array | undefined
  /** May be called when a piece was given to the connection and is not needed any more. */
  readonly done?: (piece: Uint8Array) => void
}

/** Who is told that it is worth asking again: an object rather than a function, since each function is one more thing to keep. */
export interface Waiter {
  ready(): void
}

/** A body that is made while it is read, without a promise a reader: there may be many thousands that wait. */
export interface Feed {
  /**
   * The next bytes; null at the end; undefined when there is nothing now: then `waiter` is told later, when it is worth asking again,
   * perhaps more than once, and never while it is asked. Never throws.
   */
  poll(waiter: Waiter): Uint8Array | null | undefined
  /** Its reader is gone, or wants no more. Who waits is told to ask again. */
  cancel(): void
  /** For who writes straight to a socket: called when what a poll gave was handed to the system, or could not be. */
  readonly written?: (error?: Error | null) => void
}

/** The next bytes of a feed, however long they take; undefined at the end. One call at a time. */
export async function nextOf(feed: Feed): Promise<Uint8Array | undefined> {
  for (;;) {
    let bytes: Uint8Array | null | undefined
    await new Promise<void>((resolve) => {
      bytes = feed.poll({ ready: resolve })
      if (bytes !== undefined) resolve()
    })
    if (bytes !== undefined) return bytes ?? undefined
  }
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
