import type { AttachmentInfo, Json, JsonObject } from "@rouse/protocol"

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

/** Bytes in an answer, and the part that has them. */
export interface McpBytes {
  readonly of: object
  readonly base64: string
  readonly mimeType?: string | undefined
  readonly uri?: string
}

/** What was kept of an answer's bytes, by the part that had them. */
export type McpFiles = ReadonlyMap<object, AttachmentInfo>

/** Parts of one answer: the rest is counted, not kept. */
const PARTS_MAX = 1_000

/**
 * What the model is told of a tool's answer: the structured value when there is one and the rest is its text, the text when there is only
 * text, else the parts in order. Bytes (images, sound, files) are attachments where they were kept, else named with their size.
 */
export function mcpOutput(result: McpResult, files: McpFiles = NO_FILES): Json {
  const parts = result.content ?? []
  const isText = parts.every((part) => part.type === "text")
  if (result.structuredContent !== undefined && isText) return result.structuredContent as Json
  if (isText) return mcpText(result)
  const shown: Json[] = parts.slice(0, PARTS_MAX).map((part) => partOf(part, files))
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
export function mcpResourceOutput(contents: readonly McpResourceContent[], files: McpFiles = NO_FILES): Json {
  const [only] = contents
  if (contents.length === 1 && only?.text !== undefined) return only.text
  return contents.slice(0, PARTS_MAX).map((content) => resourceOf(content, files))
}

/** The bytes of an answer, in order. */
export function mcpBytes(parts: readonly McpContent[]): readonly McpBytes[] {
  return parts.slice(0, PARTS_MAX).flatMap((part): readonly McpBytes[] => {
    if (part.type === "resource") return part.resource === undefined ? [] : mcpResourceBytes([part.resource])
    return part.data === undefined ? [] : [{ of: part, base64: part.data, mimeType: part.mimeType }]
  })
}

export function mcpResourceBytes(contents: readonly McpResourceContent[]): readonly McpBytes[] {
  return contents.slice(0, PARTS_MAX).flatMap((content) => {
    const { blob, mimeType, uri } = content
    return blob === undefined ? [] : [{ of: content, base64: blob, mimeType, uri }]
  })
}

const NO_FILES: McpFiles = new Map()

function partOf(part: McpContent, files: McpFiles): JsonObject {
  const kept = files.get(part)
  if (kept !== undefined) return { ...kept }
  switch (part.type) {
    case "text":
      return { type: "text", text: part.text ?? "" }
    case "resource":
      return part.resource === undefined ? { type: "resource" } : resourceOf(part.resource, files)
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

function resourceOf(content: McpResourceContent, files: McpFiles): JsonObject {
  const kept = files.get(content)
  if (kept !== undefined) return { ...kept }
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
