import { type AttachmentBackend, type EntityUrl, OCTETS } from "@rouse/protocol"
import type { Guard } from "@rouse/store"
import type { Plane } from "../plane.ts"
import { listAttachments, putAttachment, readBytes, readRecord } from "./attachments.ts"
import { infoOf } from "../core/attachment-record.ts"

/** Attachments as the handler of one wake reaches them: what it puts is refused when its lease is lost (P6). */
export function wakeAttachments(plane: Plane, url: EntityUrl, epoch: number): AttachmentBackend {
  const lease: Guard = { kind: "lease", url, epoch }
  return {
    put: (content, { name, mediaType = OCTETS, ...from }) =>
      putAttachment(plane, { url, name, mediaType, ...from, by: { kind: "agent", id: url }, lease }, content),
    info: async (id) => {
      const record = await readRecord(plane, url, id)
      return record && infoOf(record)
    },
    read: async (id, range) => {
      const record = await readRecord(plane, url, id)
      return record && readBytes(plane, url, record, range)
    },
    list: async () => {
      const found = []
      for (let after: string | undefined = ""; after !== undefined;) {
        const page = await listAttachments(plane, url, after)
        found.push(...page.attachments)
        after = page.next
      }
      return found
    },
  }
}
