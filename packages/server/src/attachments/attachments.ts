import { createHash } from "node:crypto"
import {
  type AttachmentInfo,
  type AttachmentPage,
  type AttachmentRow,
  type ByteRange,
  type EntityUrl,
  isAttachmentId,
  type Principal,
  RouseError,
  START,
} from "@rouse/protocol"
import { frameJson, type Guard, type Op, parseJson } from "@rouse/store"
import { recordPath, recordsPath } from "../core/attachment-path.ts"
import { type AttachmentRecord, infoOf } from "../core/attachment-record.ts"
import { isoTime } from "../core/control.ts"
import { need } from "../inbox.ts"
import type { Plane } from "../plane.ts"
import { checkLabel } from "./label.ts"
import { partsOf } from "./parts.ts"

const RECORD_BYTES_MAX = 1_048_576
const PAGE_MAX = 1_000

/** One upload: whose, what it calls itself, and what it is checked against. */
export interface PutInput {
  readonly url: EntityUrl
  readonly name: string
  readonly mediaType: string
  readonly by: Principal
  readonly run?: string
  readonly call?: string
  /** Bytes that were announced. */
  readonly size?: number
  /** The SHA-256 that was announced, in hex. */
  readonly digest?: string
  /** The lease that must hold as it is linked. */
  readonly lease?: Guard
}

/**
 * Takes in an attachment, with no more of it in memory than a part or two. It is on disk and linked to the entity when this resolves; when it
 * rejects, nothing of it stays.
 *
 * @throws {RouseError} `INVALID_ARGS`, `UNKNOWN_ENTITY`, `STOPPED`, `TOO_LARGE`, `DIGEST_MISMATCH`, `BAD_REQUEST` when the body ends early,
 *   `OVERLOADED` when too many come in at once, `FENCED`.
 */
export async function putAttachment(
  plane: Plane,
  input: PutInput,
  body: ReadableStream<Uint8Array> | null,
): Promise<AttachmentInfo> {
  checkLabel(input)
  const { bytesMax } = plane.attachments
  if ((input.size ?? 0) > bytesMax) throw tooLarge(bytesMax)
  refuseStopped((await plane.transactor.record(input.url))?.status, input.url)
  const release = plane.attachments.admit()
  const upload = plane.attachments.contents.begin(input.url)
  try {
    const hash = createHash("sha256")
    let size = 0
    for await (const part of partsOf(body, plane.attachments.contents.partBytes)) {
      size += part.length
      if (size > bytesMax) throw tooLarge(bytesMax)
      hash.update(part)
      await upload.write(part)
    }
    const id = hash.digest("hex")
    checkArrived(input, size, id)
    return await link(plane, input, { id, size }, upload)
  } catch (error) {
    await upload
      .abandon()
      .catch((cause: unknown) =>
        plane.log.warn("an upload that failed is left for the sweep", { url: input.url, error: String(cause) }),
      )
    throw error
  } finally {
    release()
  }
}

/** The record and the row, in one commit; what is there already stays as it is. */
async function link(
  plane: Plane,
  input: PutInput,
  { id, size }: { readonly id: string; readonly size: number },
  upload: ReturnType<Plane["attachments"]["contents"]["begin"]>,
): Promise<AttachmentInfo> {
  const { url, name, mediaType, by, run, call, lease } = input
  const known = await readRecord(plane, url, id)
  if (known !== undefined) {
    await upload.abandon()
    return infoOf(known)
  }
  const { ops, where } = await upload.finish(id)
  const at = isoTime(plane.clock())
  const info: AttachmentInfo = { type: "attachment", id, name, mediaType, size }
  const record: AttachmentRecord = { ...info, at, ...where }
  const row: AttachmentRow = {
    ...info,
    at,
    by,
    ...(run === undefined ? {} : { run }),
    ...(call === undefined ? {} : { call }),
  }
  const { value } = await plane.transactor.transact([url], async (planning) => {
    const { draft } = planning
    const self = need(planning, url)
    refuseStopped(self.record.status, url)
    const other = await readRecord(plane, url, id)
    if (other !== undefined) return other
    if (lease !== undefined) draft.guard(lease)
    self.insert("attachment", id, row)
    for (const op of [...ops, recordOp(url, record, draft.nowMs)]) draft.also(op)
    return undefined
  })
  if (value === undefined) return info
  // The same bytes came twice at once, and the other was first.
  await upload.abandon()
  return infoOf(value)
}

/** Writes a record. */
export function recordOp(url: EntityUrl, record: AttachmentRecord, nowMs: number): Op {
  return {
    op: "createStream",
    path: recordPath(url, record.id),
    contentType: "application/json",
    data: frameJson([record]),
    closed: true,
    nowMs,
  }
}

/** What is known of an attachment; undefined when the entity has none of this id. */
export async function readRecord(plane: Plane, url: EntityUrl, id: string): Promise<AttachmentRecord | undefined> {
  if (!isAttachmentId(id)) return undefined
  return recordAt(plane, recordPath(url, id))
}

async function recordAt(plane: Plane, path: string): Promise<AttachmentRecord | undefined> {
  try {
    const { chunks } = await plane.store.read(path, START, RECORD_BYTES_MAX)
    return parseJson(chunks)[0] as unknown as AttachmentRecord
  } catch (error) {
    if (RouseError.is(error, "UNKNOWN_STREAM")) return undefined
    throw error
  }
}

/** An attachment's bytes, or a part of them, as they are read. */
export function readBytes(
  plane: Plane,
  url: EntityUrl,
  record: AttachmentRecord,
  { start, end = record.size }: ByteRange = { start: 0 },
): ReadableStream<Uint8Array> {
  const range = { start, end: Math.min(end, record.size) }
  const parts = plane.attachments.contents.read(url, record, range)[Symbol.asyncIterator]()
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await parts.next()
        if (done === true) controller.close()
        else controller.enqueue(value)
      },
      async cancel() {
        await parts.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}

/** An entity's attachments, by id: a page of them. */
export async function listAttachments(
  plane: Plane,
  url: EntityUrl,
  after = "",
  limit: number = PAGE_MAX,
): Promise<AttachmentPage> {
  const prefix = recordsPath(url)
  const paths = await plane.store.streamPaths({ prefix, after: prefix + after, limit })
  const records = await Promise.all(paths.map((path) => recordAt(plane, path)))
  const last = paths.length === limit ? paths.at(-1) : undefined
  return {
    attachments: records.flatMap((record) => (record === undefined ? [] : [infoOf(record)])),
    ...(last === undefined ? {} : { next: last.slice(prefix.length) }),
  }
}

/**
 * What a message refers to.
 *
 * @throws {RouseError} `NOT_FOUND` naming the first that is not there.
 */
export async function resolveAttachments(
  plane: Plane,
  url: EntityUrl,
  ids: readonly string[],
): Promise<readonly AttachmentInfo[]> {
  const records = await Promise.all(ids.map((id) => readRecord(plane, url, id)))
  return records.map((record, index) => {
    if (record !== undefined) return infoOf(record)
    throw new RouseError("NOT_FOUND", `attachments[${index}]: ${url} has no attachment ${ids[index]}; upload it first`)
  })
}

/**
 * Takes an attachment away, with its bytes. What refers to it says from then on that it is gone.
 *
 * @throws {RouseError} `UNKNOWN_ENTITY`, `NOT_FOUND`.
 */
export async function deleteAttachment(plane: Plane, url: EntityUrl, id: string): Promise<void> {
  await plane.transactor.transact([url], async (planning) => {
    const self = need(planning, url)
    const record = await readRecord(plane, url, id)
    if (record === undefined) throw new RouseError("NOT_FOUND", `${url} has no attachment "${id}"`)
    self.delete("attachment", id)
    planning.draft.also({ op: "deleteStream", path: recordPath(url, id) })
    for (const op of plane.attachments.contents.drop(url, record, planning.draft.nowMs)) planning.draft.also(op)
  })
}

function checkArrived({ size: announced, digest }: PutInput, size: number, id: string): void {
  if (announced !== undefined && announced !== size)
    throw new RouseError("BAD_REQUEST", `Content-Length: ${announced} bytes were announced, and ${size} came`)
  if (digest !== undefined && digest !== id)
    throw new RouseError("DIGEST_MISMATCH", `Repr-Digest: the bytes that came have the SHA-256 ${id}, not ${digest}`)
}

function refuseStopped(status: string | undefined, url: EntityUrl): void {
  if (status === undefined) throw new RouseError("UNKNOWN_ENTITY", `there is no entity ${url}; spawn it first`)
  if (status === "stopped") throw new RouseError("STOPPED", `${url} is stopped and takes no attachments`)
}

function tooLarge(bytesMax: number): RouseError {
  return new RouseError("TOO_LARGE", `an attachment may have at most ${bytesMax} bytes`, { details: { bytesMax } })
}
