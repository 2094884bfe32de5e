import { createHash } from "node:crypto"
import { type EntityUrl, type HandlerCommit, RouseError, START } from "@rouse/protocol"
import { attachmentPath, isAttachmentId } from "./core/attachment-path.ts"
import type { EntityDraft } from "./core/draft.ts"
import type { Plane } from "./plane.ts"

/** Bytes of a stream that are read at once. */
const READ_BYTES = 1_048_576

/**
 * Writes the attachments of a handler's commit, in that commit.
 *
 * @throws {RouseError} `INVALID_ARGS` when a name is not the digest of its text.
 */
export function planAttachments(self: EntityDraft, attachments: NonNullable<HandlerCommit["attachments"]>): void {
  for (const { id, text } of attachments) {
    if (createHash("sha256").update(text).digest("hex") !== id)
      throw new RouseError("INVALID_ARGS", `attachments: "${id}" is not the SHA-256 of its text`)
    self.attach(id, text)
  }
}

/** An attachment's text; undefined when the entity has none of this name. */
export async function readAttachment(plane: Plane, url: EntityUrl, id: string): Promise<string | undefined> {
  if (!isAttachmentId(id)) return undefined
  const path = attachmentPath(url, id)
  if ((await plane.store.stream(path)) === undefined) return undefined
  const decoder = new TextDecoder()
  let text = ""
  let from = START
  for (;;) {
    const { chunks, next, upToDate } = await plane.store.read(path, from, READ_BYTES)
    for (const chunk of chunks) text += decoder.decode(chunk, { stream: true })
    if (upToDate) return text + decoder.decode()
    from = next
  }
}
