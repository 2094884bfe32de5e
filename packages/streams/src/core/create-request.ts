import type { HeaderReader } from "./header-reader.ts"
import { invalid, isTrue, parseMoment, parseNatural } from "./header-values.ts"
import { parseMediaType } from "./media-type.ts"
import { STREAM_CLOSED, STREAM_EXPIRES_AT, STREAM_TTL } from "./names.ts"

/** A hundred years: what is meant to live longer has no time to live. */
const TTL_SECONDS_MAX = 3_155_760_000

/** What a create asks for. */
export interface CreateRequest {
  /** Undefined when the request has none. */
  readonly contentType?: string
  readonly closed: boolean
  readonly ttlSeconds?: number
  readonly expiresAtMs?: number
}

/**
 * Reads the headers of a create.
 *
 * @throws {RouseError} `BAD_REQUEST` with the header's name.
 * @see Durable Streams Protocol §5.1
 */
export function parseCreate(headers: HeaderReader, nowMs: number): CreateRequest {
  const contentType = contentTypeOf(headers)
  return {
    ...(contentType === undefined ? {} : { contentType }),
    closed: isTrue(headers.get(STREAM_CLOSED)),
    ...lifetimeOf(headers.get(STREAM_TTL), headers.get(STREAM_EXPIRES_AT), nowMs),
  }
}

function contentTypeOf(headers: HeaderReader): string | undefined {
  const value = headers.get("content-type")
  if (value === null || value.trim() === "") return undefined
  const mediaType = parseMediaType(value)
  if (mediaType === undefined) throw invalid("Content-Type", "must be a media type such as application/json")
  return mediaType
}

function lifetimeOf(ttl: string | null, expiresAt: string | null, nowMs: number): Partial<CreateRequest> {
  if (ttl !== null && expiresAt !== null) throw invalid("Stream-TTL", "cannot be combined with Stream-Expires-At")
  if (ttl !== null) return { ttlSeconds: parseNatural("Stream-TTL", ttl, TTL_SECONDS_MAX) }
  if (expiresAt === null) return {}
  const expiresAtMs = parseMoment("Stream-Expires-At", expiresAt)
  if (expiresAtMs <= nowMs) throw invalid("Stream-Expires-At", "must be in the future")
  return { expiresAtMs }
}
