import { entityStreamPath, type EntityUrl } from "@rouse/protocol"

/** Attachments are texts: what a tool answered, as JSON or as it was. */
export const ATTACHMENT_TYPE = "text/plain; charset=utf-8"

const DIGEST = /^[0-9a-f]{64}$/

/** The stream that holds an attachment. It lies below the entity's, so that who may read one may read the other. */
export function attachmentPath(url: EntityUrl, id: string): string {
  return `${entityStreamPath(url)}/attachments/${id}`
}

/** Whether this may be an attachment's name: a SHA-256 in hex. */
export function isAttachmentId(id: string): boolean {
  return DIGEST.test(id)
}
