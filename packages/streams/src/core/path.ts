import { RouseError } from "@rouse/protocol"

/** The longest stream path, in UTF-8 bytes after decoding. */
export const PATH_BYTES_MAX = 1024

/** First segment of what the protocol keeps for itself. */
const RESERVED = "__ds"

const encoder = new TextEncoder()

/**
 * The stream's path in a request's URL path: what follows `basePath` and a slash, percent-decoded once.
 *
 * A path has one spelling only, so that whoever guards paths sees what the store sees: encoded slashes, backslashes, dot
 * segments and empty segments are refused rather than resolved.
 *
 * @throws {RouseError} `NOT_FOUND` outside `basePath`; `BAD_REQUEST` when the path breaks a rule.
 * @see Durable Streams Protocol §10.2
 */
export function parseStreamPath(pathname: string, basePath: string): string {
  if (!pathname.startsWith(basePath + "/")) throw new RouseError("NOT_FOUND", `streams are found under ${basePath}/`)
  const raw = pathname.slice(basePath.length + 1)
  // Every encoded byte takes three characters, so a longer path cannot be within the bound.
  if (raw.length > PATH_BYTES_MAX * 3) throw tooLong()
  return checked(raw.split("/").map(decode))
}

/**
 * A stream's path as it stands in a body: not encoded. Slashes around it do not count.
 *
 * @throws {RouseError} `BAD_REQUEST`, naming `field`.
 */
export function parsePathIn(field: string, text: string): string {
  try {
    // Throws for what is no text: half of a surrogate pair.
    encodeURIComponent(text)
    return checked(text.replaceAll(/^\/+|\/+$/g, "").split("/"))
  } catch (cause) {
    const rule = RouseError.is(cause) ? cause.message.replace(/^path: /, "") : "it is not valid Unicode"
    throw new RouseError("BAD_REQUEST", `${field}: ${rule}`, { cause, details: { field } })
  }
}

/** What follows the protocol's own prefix in a URL path, in segments, decoded; undefined when the path is a stream's. */
export function parseControlPath(pathname: string, basePath: string): readonly string[] | undefined {
  const prefix = `${basePath}/${RESERVED}`
  if (pathname === prefix) return []
  if (!pathname.startsWith(prefix + "/")) return undefined
  if (pathname.length > prefix.length + PATH_BYTES_MAX * 6) throw tooLong()
  return pathname
    .slice(prefix.length + 1)
    .split("/")
    .map(decode)
}

function checked(segments: readonly string[]): string {
  if (segments[0] === RESERVED) throw bad(`a path that begins with ${RESERVED} is reserved by the protocol`)
  const path = segments.map(checkSegment).join("/")
  if (encoder.encode(path).length > PATH_BYTES_MAX) throw tooLong()
  return path
}

function checkSegment(segment: string): string {
  if (segment === "") throw bad("it has an empty segment")
  if (segment === "." || segment === "..") throw bad("it has a dot segment")
  if (segment.includes("/") || segment.includes("\\")) throw bad("a segment has an encoded slash or a backslash")
  if (hasControl(segment)) throw bad("it has a control character")
  return segment
}

/** C0 and C1 control characters, and delete between them. */
function hasControl(text: string): boolean {
  return Array.from(text).some((char) => char < " " || (char >= "\u007f" && char <= "\u009f"))
}

function decode(raw: string): string {
  try {
    return decodeURIComponent(raw)
  } catch (cause) {
    throw new RouseError("BAD_REQUEST", "path: its percent-encoding is not valid UTF-8", { cause })
  }
}

function bad(rule: string): RouseError {
  return new RouseError("BAD_REQUEST", `path: ${rule}`)
}

function tooLong(): RouseError {
  return bad(`it is longer than ${PATH_BYTES_MAX} bytes`)
}
