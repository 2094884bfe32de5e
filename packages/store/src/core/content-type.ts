/** Whether two content types name the same media type: parameters and case do not count. */
export function sameContentType(a: string, b: string): boolean {
  return a === b || mediaType(a) === mediaType(b)
}

/** Whether a stream keeps messages, not bytes. Durable Streams Protocol §7.1. */
export function isJson(contentType: string): boolean {
  return mediaType(contentType) === "application/json"
}

function mediaType(contentType: string): string {
  const end = contentType.indexOf(";")
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}
