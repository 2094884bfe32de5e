import type { Offset } from "@rouse/protocol"

/** What a read answered, as an entity tag: which stream, from where to where, and whether the end was final. */
export function readTag(incarnation: string, start: Offset, end: Offset, closed: boolean): string {
  return `"${encodeURIComponent(incarnation)}:${start}:${end}${closed ? ":c" : ""}"`
}

/**
 * Whether an `If-None-Match` header names the tag. Weak comparison, as a GET wants it.
 *
 * @see RFC 9110 §13.1.2
 */
export function tagMatches(ifNoneMatch: string | null, tag: string): boolean {
  if (ifNoneMatch === null) return false
  if (ifNoneMatch.trim() === "*") return true
  return ifNoneMatch.split(",").some((candidate) => candidate.trim().replace(/^W\//, "") === tag)
}
