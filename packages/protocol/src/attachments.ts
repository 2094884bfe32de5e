import type { Principal } from "./collections.ts"

/** What is known of an attachment. Also how a message and a tool's output refer to one: bytes are never in a row. An alias, so that it is `Json`. */
export type AttachmentInfo = {
  readonly type: "attachment"
  /** The SHA-256 of its bytes, in hex. */
  readonly id: string
  readonly name: string
  readonly mediaType: string
  /** Bytes. */
  readonly size: number
}

/** Who put an attachment, and why. The first to bring these bytes to the entity gave them their name. */
export interface AttachmentRow extends AttachmentInfo {
  readonly at: string
  readonly by?: Principal
  /** The run and the tool call that it comes from. */
  readonly run?: string
  readonly call?: string
}

/** `GET /v1/entities/{type}/{id}/attachments` */
export interface AttachmentPage {
  readonly attachments: readonly AttachmentInfo[]
  /** Present when there are more. */
  readonly next?: string
}

/** What an upload says of itself. */
export interface AttachmentLabel {
  readonly name: string
  /** `application/octet-stream` when absent. */
  readonly mediaType?: string
  readonly run?: string
  readonly call?: string
}

/** A part of an attachment: from the byte `start` on, up to and without `end`. */
export interface ByteRange {
  readonly start: number
  readonly end?: number
}

/** How a handler reaches its entity's attachments. Each member can be carried by one HTTP request. */
export interface AttachmentBackend {
  /** Durable when it resolves. The same bytes again change nothing. @throws {RouseError} `TOO_LARGE`, `FENCED`, `INVALID_ARGS`. */
  put(content: ReadableStream<Uint8Array>, label: AttachmentLabel): Promise<AttachmentInfo>
  /** Undefined when there is none. */
  info(id: string): Promise<AttachmentInfo | undefined>
  /** Its bytes, as they are read; undefined when there is none. */
  read(id: string, range?: ByteRange): Promise<ReadableStream<Uint8Array> | undefined>
  list(): Promise<readonly AttachmentInfo[]>
}

const DIGEST = /^[0-9a-f]{64}$/
/** A media type without parameters, but for a character set (RFC 9110 §8.3.1). */
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,95}(; ?charset=[a-z0-9_-]{1,32})?$/
const NAME_CHARS_MAX = 200
const REFS_MAX = 16
const REF_DEPTH_MAX = 4

/** Files that one message may bring. */
export const MESSAGE_ATTACHMENTS_MAX = 32

export const OCTETS = "application/octet-stream"

/** Whether this may be an attachment's id: a SHA-256 in hex. */
export function isAttachmentId(id: string): boolean {
  return DIGEST.test(id)
}

/** The media type as it is kept, in lower case; undefined when it is not one. */
export function mediaTypeOf(text: string): string | undefined {
  const type = text.trim().toLowerCase()
  return MEDIA_TYPE.test(type) ? type : undefined
}

/** Whether this may name an attachment: a file's name, not a path, and nothing that does not show. */
export function isAttachmentName(name: string): boolean {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for.
  const hidden = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff/\\]/
  return (
    name.length > 0 &&
    name.length <= NAME_CHARS_MAX &&
    !/\p{Surrogate}/u.test(name) &&
    !hidden.test(name) &&
    !/^\.{1,2}$/.test(name)
  )
}

/** Whether bytes of this type are text that a model can read. */
export function isTextual(mediaType: string): boolean {
  return /^(text\/|application\/([a-z0-9.+-]+\+)?(json|xml|yaml|x-yaml|javascript|x-ndjson|toml|sql)\b)/.test(mediaType)
}

/** Whether models that see take it: common images, and PDF. */
export function isVisual(mediaType: string): boolean {
  return /^(image\/(png|jpeg|gif|webp)|application\/pdf)$/.test(mediaType)
}

/** The attachments that a value refers to, in order: at most 16, near its surface. */
export function attachmentsIn(value: unknown, depth = 0): readonly AttachmentInfo[] {
  if (typeof value !== "object" || value === null || depth > REF_DEPTH_MAX) return []
  const ref = infoOf(value)
  if (ref !== undefined) return [ref]
  return Object.values(value)
    .flatMap((inner) => attachmentsIn(inner, depth + 1))
    .slice(0, REFS_MAX)
}

function infoOf(value: object): AttachmentInfo | undefined {
  const { type, id, name, mediaType, size } = value as Readonly<Record<string, unknown>>
  if (type !== "attachment" || typeof id !== "string" || !isAttachmentId(id) || typeof name !== "string")
    return undefined
  if (typeof mediaType !== "string" || mediaTypeOf(mediaType) === undefined || !Number.isSafeInteger(size))
    return undefined
  return { type, id, name, mediaType, size: size as number }
}
