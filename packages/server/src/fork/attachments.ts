import type { EntityUrl, Row } from "@rouse/protocol"
import type { Op } from "@rouse/store"
import { attachmentPath } from "../core/attachment-path.ts"

/** Gives a fork the attachments that its history refers to, without copying them. */
export function forkAttachments(source: EntityUrl, url: EntityUrl, rows: readonly Row[], nowMs: number): readonly Op[] {
  return rows
    .filter((row) => row.collection === "attachment")
    .map(({ key }) => ({
      op: "forkStream",
      path: attachmentPath(url, key),
      source: attachmentPath(source, key),
      closed: true,
      nowMs,
    }))
}
