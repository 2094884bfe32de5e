import { OCTETS, RouseError } from "@rouse/protocol"
import type { AttachmentBackend, AttachmentInfo, AttachmentRow, HandlerCommit } from "@rouse/protocol"
import type { TestEntity } from "./entity.ts"

export interface TestAttachment {
  readonly info: AttachmentInfo
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** What a commit brings as text. */
export function keepText(
  entity: TestEntity,
  { id, text, name = "result.txt", mediaType = "text/plain" }: NonNullable<HandlerCommit["attachments"]>[number],
): void {
  const bytes = new TextEncoder().encode(text)
  keep(entity, { info: { type: "attachment", id, name, mediaType, size: bytes.length }, bytes })
}

/** An entity's attachments in memory. @param now ISO 8601, UTC. */
export function testAttachments(entity: TestEntity, now: () => string): AttachmentBackend {
  return {
    async put(content, { name, mediaType = OCTETS, run, call }) {
      const bytes = new Uint8Array(await new Response(content as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer())
      const id = await digestOf(bytes)
      const known = entity.attachments.get(id)
      if (known) return known.info
      const info: AttachmentInfo = { type: "attachment", id, name, mediaType, size: bytes.length }
      const by = { kind: "agent", id: entity.url } as const
      const from = { ...(run === undefined ? {} : { run }), ...(call === undefined ? {} : { call }) }
      keep(entity, { info, bytes })
      entity.put("attachment", id, { ...info, at: now(), by, ...from } satisfies AttachmentRow)
      return info
    },
    info: async (id) => entity.attachments.get(id)?.info,
    async read(id, { start, end } = { start: 0 }) {
      const found = entity.attachments.get(id)
      return found && new Blob([found.bytes.slice(start, end)]).stream()
    },
    list: async () => [...entity.attachments.values()].map(({ info }) => info),
  }
}

/** @throws {RouseError} `NOT_FOUND` naming what the sender does not have. */
export function checkLent(from: TestEntity, ids: readonly string[] = []): void {
  const missing = ids.find((id) => !from.attachments.has(id))
  if (missing !== undefined) throw new RouseError("NOT_FOUND", `attachments: ${from.url} has no attachment ${missing}`)
}

/** Gives what one entity has to another, and what a message says of it. */
export function lend(
  from: TestEntity,
  to: TestEntity,
  ids: readonly string[] = [],
  at: string,
): { readonly attachments?: readonly AttachmentInfo[] } {
  checkLent(from, ids)
  const attachments = ids.map((id) => {
    const known = to.attachments.get(id)
    if (known) return known.info
    const found = from.attachments.get(id) as TestAttachment
    keep(to, found)
    to.put("attachment", id, { ...found.info, at, by: { kind: "agent", id: from.url } } satisfies AttachmentRow)
    return found.info
  })
  return attachments.length === 0 ? {} : { attachments }
}

function keep(entity: TestEntity, attachment: TestAttachment): void {
  if (!entity.attachments.has(attachment.info.id)) entity.attachments.set(attachment.info.id, attachment)
}

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await globalThis.crypto.subtle.digest("SHA-256", bytes)
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("")
}
