import { createHash } from "node:crypto"
import { type AttachmentInfo, type HandlerCommit, OCTETS, RouseError } from "@rouse/protocol"
import { bytesPath } from "../core/attachment-path.ts"
import type { EntityDraft } from "../core/draft.ts"
import { isoTime } from "../core/control.ts"
import { recordOp } from "./attachments.ts"
import { checkLabel } from "./label.ts"

const TEXT = "text/plain; charset=utf-8"
const encoder = new TextEncoder()

/**
 * Writes the attachments that a handler's commit brings as text, in that commit. The store keeps their bytes, whatever keeps those of others.
 *
 * @throws {RouseError} `INVALID_ARGS` when a name is not the digest of its text.
 */
export function planAttachments(self: EntityDraft, attachments: NonNullable<HandlerCommit["attachments"]>): void {
  for (const { id, text, name = "result.txt", mediaType = TEXT } of attachments) {
    if (createHash("sha256").update(text).digest("hex") !== id)
      throw new RouseError("INVALID_ARGS", `attachments: "${id}" is not the SHA-256 of its text`)
    checkLabel({ name, mediaType })
    keepText(self, { id, name, mediaType }, text)
  }
}

/** Writes a text beside the log, in the entity's commit. Returns what is known of it. */
export function keepText(
  self: EntityDraft,
  { id, name, mediaType }: Pick<AttachmentInfo, "id" | "name" | "mediaType">,
  text: string,
): AttachmentInfo {
  const { url, nowMs } = self
  const data = encoder.encode(text)
  const info: AttachmentInfo = { type: "attachment", id, name, mediaType, size: data.length }
  self.also({ op: "createStream", path: bytesPath(url, id), contentType: OCTETS, data, closed: true, nowMs })
  self.also(recordOp(url, { ...info, at: isoTime(nowMs) }, nowMs))
  return info
}
