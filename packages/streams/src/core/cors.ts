/** Which other origins may use the streams from a browser. */
export interface CorsOptions {
  /** `"*"` or exact origins such as `https://app.example.com`. */
  readonly origins: "*" | readonly string[]
  /** How long a browser may remember a preflight, in seconds. Default 600. */
  readonly maxAgeSeconds?: number
}

const MAX_AGE_SECONDS = 600
export const METHODS = "GET, HEAD, PUT, POST, DELETE, OPTIONS"
const REQUEST_HEADERS =
  "accept, authorization, content-type, if-none-match, stream-seq, stream-ttl, stream-expires-at, stream-closed, stream-forked-from, stream-fork-offset, stream-fork-sub-offset, producer-id, producer-epoch, producer-seq"
const RESPONSE_HEADERS =
  "content-type, etag, location, retry-after, stream-next-offset, stream-up-to-date, stream-cursor, stream-closed, stream-ttl, stream-expires-at, stream-sse-data-encoding, producer-epoch, producer-seq, producer-expected-seq, producer-received-seq"

/** The headers that let `origin` read a response; none when it may not. */
export function corsHeaders(cors: CorsOptions | undefined, origin: string | null): Record<string, string> {
  if (cors === undefined) return {}
  // Caches must not give one origin's answer to another, nor to those that sent none.
  const vary = cors.origins === "*" ? {} : { vary: "origin" }
  const allowed = allowedOrigin(cors, origin)
  if (allowed === undefined) return vary
  return { ...vary, "access-control-allow-origin": allowed, "access-control-expose-headers": RESPONSE_HEADERS }
}

/** What a preflight is told beyond `corsHeaders`. */
export function preflightHeaders(cors: CorsOptions | undefined, origin: string | null): Record<string, string> {
  if (cors === undefined || allowedOrigin(cors, origin) === undefined) return {}
  return {
    "access-control-allow-methods": METHODS,
    "access-control-allow-headers": REQUEST_HEADERS,
    "access-control-max-age": String(cors.maxAgeSeconds ?? MAX_AGE_SECONDS),
  }
}

function allowedOrigin(cors: CorsOptions, origin: string | null): string | undefined {
  if (cors.origins === "*") return "*"
  return origin !== null && cors.origins.includes(origin) ? origin : undefined
}
