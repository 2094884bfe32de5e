import type { LanguageModelV4FilePart, LanguageModelV4TextPart } from "@ai-sdk/provider"
import { isVisual } from "@rouse/protocol"
import type { AttachmentInfo } from "@rouse/protocol"

/** What the model is given of a file beside the words about it: the file, or nothing. */
export type FileSupply = (file: AttachmentInfo) => LanguageModelV4FilePart | LanguageModelV4TextPart | undefined

/** Of one file: larger ones are only named. */
export const FILE_BYTES_MAX = 8_388_608
/** Of all files of a prompt: the oldest beyond it are only named. */
export const FILES_BYTES_MAX = 25_165_824

/** What an image is taken to cost: about what providers charge for a large one. */
const IMAGE_TOKENS = 1_600
/** A page of a document, and what it takes of the file. */
const PAGE_TOKENS = 2_000
const PAGE_BYTES = 50_000
/** As `estimate` counts. */
const CHARS_A_TOKEN = 3.5

/** How a file reads in the conversation: always the same, whether the model sees it or not. */
export function labelOf({ name, mediaType, size, id }: AttachmentInfo): string {
  return `[attachment ${JSON.stringify(name)}: ${mediaType}, ${size} bytes, id ${id}]`
}

/** Whether a file may be in a prompt at all. */
export function isShown({ mediaType, size }: AttachmentInfo): boolean {
  return isVisual(mediaType) && size > 0 && size <= FILE_BYTES_MAX
}

/** The files of a conversation that a prompt has room for, of those that may be in one: the newest. Each once. */
export function filesThatFit(files: readonly AttachmentInfo[]): readonly AttachmentInfo[] {
  const fitting = new Map<string, AttachmentInfo>()
  let bytes = 0
  for (const file of files.toReversed()) {
    if (!isShown(file) || fitting.has(file.id)) continue
    bytes += file.size
    if (bytes > FILES_BYTES_MAX) break
    fitting.set(file.id, file)
  }
  return [...fitting.values()]
}

/** Stands for files where a prompt is only measured: as much text as they are taken to cost. */
export const MEASURED: FileSupply = (file) =>
  isShown(file) ? { type: "text", text: " ".repeat(Math.ceil(tokensOfFile(file) * CHARS_A_TOKEN)) } : undefined

export function tokensOfFile({ mediaType, size }: AttachmentInfo): number {
  return mediaType === "application/pdf" ? Math.max(1, Math.ceil(size / PAGE_BYTES)) * PAGE_TOKENS : IMAGE_TOKENS
}
