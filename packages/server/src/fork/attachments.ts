import type { EntityUrl, Row } from "@rouse/protocol"
import type { Op } from "@rouse/store"
import { readBytes, readRecord, recordOp } from "../attachments/attachments.ts"
import { partsOf } from "../attachments/parts.ts"
import { bytesPath, recordPath } from "../core/attachment-path.ts"
import type { AttachmentRecord } from "../core/attachment-record.ts"
import type { Plane } from "../plane.ts"

/**
 * What gives a fork the attachments that its history refers to. What the store keeps is not copied; what a bucket keeps is, so that each has
 * its own to lose. One that was deleted since is not there.
 */
export async function forkAttachments(
  plane: Plane,
  source: EntityUrl,
  url: EntityUrl,
  rows: readonly Row[],
): Promise<readonly Op[]> {
  const ops: Op[] = []
  for (const { key } of rows.filter((row) => row.collection === "attachment")) {
    const record = await readRecord(plane, source, key)
    if (record) ops.push(...(await attachmentCopy(plane, source, url, record)))
  }
  return ops
}

/** What gives one entity an attachment of another's. */
export async function attachmentCopy(
  plane: Plane,
  source: EntityUrl,
  url: EntityUrl,
  record: AttachmentRecord,
): Promise<readonly Op[]> {
  if (record.object !== undefined) return await copied(plane, source, url, record)
  return shared(source, url, record, plane.clock())
}

function shared(source: EntityUrl, url: EntityUrl, { id, marks }: AttachmentRecord, nowMs: number): readonly Op[] {
  const isLarge = marks !== undefined
  const fork = { op: "forkStream", closed: true, nowMs } as const
  return [
    { ...fork, path: recordPath(url, id), source: recordPath(source, id) },
    { ...fork, path: bytesPath(url, id, isLarge), source: bytesPath(source, id, isLarge) },
  ]
}

async function copied(
  plane: Plane,
  source: EntityUrl,
  url: EntityUrl,
  record: AttachmentRecord,
): Promise<readonly Op[]> {
  const { contents } = plane.attachments
  const upload = contents.begin(url)
  try {
    for await (const part of partsOf(readBytes(plane, source, record), contents.partBytes)) await upload.write(part)
    const { ops, where } = await upload.finish(record.id)
    const { object: _object, marks: _marks, stride: _stride, ...info } = record
    return [...ops, recordOp(url, { ...info, ...where }, plane.clock())]
  } catch (error) {
    await upload.abandon()
    throw error
  }
}
