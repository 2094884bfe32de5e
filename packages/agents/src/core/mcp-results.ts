import type { Json, JsonObject } from "@rouse/protocol"

/** A part of what an MCP tool or resource answers, as far as it is looked at. */
export interface McpContent {
  readonly type: string
  readonly text?: string
  readonly data?: string
  readonly mimeType?: string
  readonly uri?: string
  readonly name?: string
  readonly description?: string
  readonly resource?: McpResourceContent
}

export interface McpResourceContent {
  readonly uri: string
  readonly mimeType?: string | undefined
  readonly text?: string
  readonly blob?: string
}

export interface McpResult {
  readonly content?: readonly McpContent[]
  readonly structuredContent?: unknown
}

/** Parts of one answer: the rest is counted, not kept. */
const PARTS_MAX = 1_000

/**
 * What the model is told of a tool's answer: the structured value when there is one and the rest is its text, the text when there is only
 * text, else the parts in order. Bytes (images, sound, files) are named with their size and left out of the prompt.
 */
export function mcpOutput(result: McpResult): Json {
  const parts = result.content ?? []
  const isText = parts.every((part) => part.type === "text")
  if (result.structuredContent !== undefined && isText) return result.structuredContent as Json
  if (isText) return mcpText(result)
  const shown: Json[] = parts.slice(0, PARTS_MAX).map(partOf)
  if (parts.length > PARTS_MAX) shown.push({ type: "omitted", parts: parts.length - PARTS_MAX })
  return result.structuredContent === undefined
    ? shown
    : { structured: result.structuredContent as Json, content: shown }
}

/** The text of an answer, its parts on lines of their own. */
export function mcpText(result: McpResult): string {
  return (result.content ?? [])
    .slice(0, PARTS_MAX)
    .flatMap((part) => (part.type === "text" ? [part.text ?? ""] : []))
    .join("\n")
}

/** What the model is told of a resource. */
export function mcpResourceOutput(contents: readonly McpResourceContent[]): Json {
  const [only] = contents
  if (contents.length === 1 && only?.text !== undefined) return only.text
  return contents.slice(0, PARTS_MAX).map(resourceOf)
}

function partOf(part: McpContent): JsonObject {
  switch (part.type) {
    case "text":
      return { type: "text", text: part.text ?? "" }
    case "resource":
      return part.resource === undefined ? { type: "resource" } : resourceOf(part.resource)
    case "resource_link":
      return defined({
        type: "resource_link",
        uri: part.uri,
        name: part.name,
        description: part.description,
        mimeType: part.mimeType,
      })
    default:
      return defined({ type: part.type, mimeType: part.mimeType, bytes: bytesOf(part.data ?? ""), omitted: true })
  }
}

function resourceOf(content: McpResourceContent): JsonObject {
  const shown =
    content.text === undefined ? { bytes: bytesOf(content.blob ?? ""), omitted: true } : { text: content.text }
  return defined({ type: "resource", uri: content.uri, mimeType: content.mimeType, ...shown })
}

/** Bytes of a base64 text. */
function bytesOf(base64: string): number {
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0
  return Math.max(0, Math.floor((base64.length * 3) / 4) - padding)
}

function defined(fields: Readonly<Record<string, Json | undefined>>): JsonObject {
  const known: Record<string, Json> = {}
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) known[name] = value
  return known
}
