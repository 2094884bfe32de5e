import { RouseError } from "@rouse/protocol"

/**
 * Patterns of stream paths: `*` stands for one whole segment, `**` for any number of them, also none. Everything else is
 * literal; a literal star is written `%2A`.
 */
export type PatternPart =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "one" }
  | { readonly kind: "any" }

/** The longest pattern, in UTF-16 code units. */
export const PATTERN_LENGTH_MAX = 1_024
export const PATTERN_SEGMENTS_MAX = 32
/** How many `**` a pattern may have: each multiplies the ways in which a path can match. */
export const PATTERN_ANY_MAX = 4

/** @throws {RouseError} `BAD_REQUEST`, naming `pattern`. */
export function parsePattern(pattern: string): readonly PatternPart[] {
  if (pattern.length > PATTERN_LENGTH_MAX) throw invalid(`must not be longer than ${PATTERN_LENGTH_MAX} characters`)
  const segments = pattern.split("/")
  if (segments.length > PATTERN_SEGMENTS_MAX) throw invalid(`must not have more than ${PATTERN_SEGMENTS_MAX} segments`)
  const parts = segments.map(partOf).filter((part, index, all) => part.kind !== "any" || all[index - 1]?.kind !== "any")
  if (parts.filter((part) => part.kind === "any").length > PATTERN_ANY_MAX) {
    throw invalid(`must not have more than ${PATTERN_ANY_MAX} of \`**\``)
  }
  return parts
}

/** Whether it begins with a wildcard, so that streams of every kind may match. */
export function isBroad(parts: readonly PatternPart[]): boolean {
  return parts[0]?.kind !== "literal"
}

function partOf(segment: string): PatternPart {
  if (segment === "**") return { kind: "any" }
  if (segment === "*") return { kind: "one" }
  if (segment === "") throw invalid("must not have an empty segment")
  if (segment.includes("*")) throw invalid("`*` and `**` stand for whole segments; write a literal star as %2A")
  return { kind: "literal", text: segment.replaceAll(/%2a/gi, "*") }
}

function invalid(rule: string): RouseError {
  return new RouseError("BAD_REQUEST", `pattern: ${rule}`, { details: { field: "pattern" } })
}
