import { RouseError, mediaTypeOf, OCTETS } from "@rouse/protocol"
import type { AttachmentInfo } from "@rouse/protocol"
import type { Attachments } from "../attachments.ts"
import { nameByType, nameOfPath } from "@rouse/protocol/media-types"
import type { McpBytes, McpFiles } from "../core/mcp-results.ts"

/** Files that are kept of one answer: what refers to more could not be shown. The rest is only named. */
const FILES_MAX = 16

/**
 * Keeps the bytes of an answer (images, sound, files of resources) as attachments of the agent's, in their order.
 *
 * Bytes that are not base64, that are too large, or that this host does not keep are only named.
 */
export async function keptFiles(parts: readonly McpBytes[], name: string, attachments: Attachments): Promise<McpFiles> {
  const kept = new Map<object, AttachmentInfo>()
  for (const part of parts.slice(0, FILES_MAX)) {
    const bytes = bytesOf(part.base64)
    if (bytes === undefined) continue
    const info = await put(attachments, bytes, part, parts.length === 1 ? name : `${name}-${kept.size + 1}`)
    if (info !== undefined) kept.set(part.of, info)
  }
  return kept
}

async function put(
  attachments: Attachments,
  bytes: Uint8Array,
  { mimeType = OCTETS, uri }: McpBytes,
  base: string,
): Promise<AttachmentInfo | undefined> {
  const mediaType = mediaTypeOf(mimeType) ?? OCTETS
  const name = (uri === undefined ? undefined : nameOfPath(uri)) ?? nameByType(base, mediaType)
  try {
    return await attachments.put(bytes, { name, mediaType })
  } catch (error) {
    if (RouseError.is(error, "TOO_LARGE", "INVALID_ARGS")) return undefined
    throw error
  }
}

function bytesOf(base64: string): Uint8Array | undefined {
  try {
    const text = atob(base64)
    const bytes = new Uint8Array(text.length)
    for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at)
    return bytes
  } catch {
    // Not base64: a mistake of the server's, which is told by the part that stays without its bytes.
    return undefined
  }
}
