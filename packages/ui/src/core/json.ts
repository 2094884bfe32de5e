import type { Json } from "@rouse/protocol"

/** JSON on one line, cut to `charsMax`, for a preview. */
export function previewOf(value: Json | undefined, charsMax: number): string {
  if (value === undefined) return ""
  const text = typeof value === "string" ? value : JSON.stringify(value)
  const line = text
    .slice(0, charsMax * 2)
    .replaceAll(/\s+/g, " ")
    .trim()
  return line.length > charsMax ? `${line.slice(0, charsMax - 1)}…` : line
}

/** What to show of a message's content or a reply: text as text, an object with one text field as that text, the rest as JSON. */
export function readable(value: Json | undefined): { readonly text: string } | { readonly json: Json } | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === "string") return value === "" ? undefined : { text: value }
  if (isObject(value)) {
    const keys = Object.keys(value)
    const only = keys.length === 1 ? value[keys[0]!] : undefined
    if (typeof only === "string" && TEXT_FIELDS.has(keys[0]!)) return { text: only }
  }
  return { json: value }
}

/** Whether a value is an object and not a list. */
export function isObject(value: Json | undefined): value is { readonly [key: string]: Json | undefined } {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** The arguments of a call as `name: value` pairs, for a line that says what a tool was asked. */
export function argumentLine(input: Json, charsMax: number): string {
  if (!isObject(input)) return previewOf(input, charsMax)
  const pairs = Object.entries(input).map(([name, value]) => `${name}: ${previewOf(value, 60)}`)
  return previewOf(pairs.join(", "), charsMax)
}

const TEXT_FIELDS = new Set(["text", "content", "message", "question", "prompt"])
