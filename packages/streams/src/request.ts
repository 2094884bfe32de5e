import type { HeaderReader } from "./core/header-reader.ts"

/**
 * What an operation needs of a request. A `Request` is one; a host that has something cheaper gives that.
 */
export interface StreamRequest {
  readonly method: string
  readonly headers: HeaderReader
  readonly body: AsyncIterable<Uint8Array> | null
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal
  /** The whole body, from a host that has a quicker way than to iterate over `body`. Rejects with `tooLarge` past the bound. */
  readonly take?: (bytesMax: number) => Promise<Uint8Array>
}

/** The parts of a request's URL that mean something to a stream. A `URL` is one. */
export interface Target {
  readonly origin: string
  /** With dot segments resolved, still percent-encoded. */
  readonly pathname: string
  readonly searchParams: URLSearchParams
}
