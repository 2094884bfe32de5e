/** The content type of a stream that was made without one. Durable Streams Protocol §5.1. */
export const DEFAULT_MEDIA_TYPE = "application/octet-stream"

const MEDIA_TYPE_LENGTH_MAX = 256
const MEDIA_TYPE = /^([!#$%&'*+.^_`|~0-9a-z-]+\/[!#$%&'*+.^_`|~0-9a-z-]+)[ \t]*(;[\x20-\x7e\t]*)?$/i

/** A content type in one spelling: type and subtype in lower case, parameters as they came. Undefined when it is none. */
export function parseMediaType(value: string): string | undefined {
  const trimmed = value.trim()
  if (trimmed.length > MEDIA_TYPE_LENGTH_MAX) return undefined
  const [, essence, parameters] = MEDIA_TYPE.exec(trimmed) ?? []
  if (essence === undefined) return undefined
  const rest = (parameters ?? "").replace(/^;[ \t]*/, "").trim()
  return essence.toLowerCase() + (rest === "" ? "" : `; ${rest}`)
}

/** Type and subtype, without parameters. */
export function essence(mediaType: string): string {
  const end = mediaType.indexOf(";")
  return (end < 0 ? mediaType : mediaType.slice(0, end)).trim().toLowerCase()
}

/** Whether the stream keeps messages, not bytes. Durable Streams Protocol §7.1. */
export function isJson(mediaType: string): boolean {
  return essence(mediaType) === "application/json"
}

/** Whether the stream's bytes can stand in an event stream as they are. Durable Streams Protocol §5.7. */
export function isText(mediaType: string): boolean {
  return isJson(mediaType) || essence(mediaType).startsWith("text/")
}
