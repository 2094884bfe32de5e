import { OCTETS, RouseError } from "@rouse/protocol"
import type { AttachmentBackend, AttachmentInfo, AttachmentLabel, ByteRange } from "@rouse/protocol"
import type { Session } from "./session.ts"

/** What may be put: text is kept as UTF-8, without secrets that were resolved; bytes are kept as they are. A stream is read once, and never held whole. */
export type AttachmentContent = string | Uint8Array | ReadableStream<Uint8Array> | Blob

export interface PutOptions {
  /** A file's name, without a path. */
  readonly name: string
  /** `text/plain` of a text, the blob's own of a blob, `application/octet-stream` of other bytes when absent. */
  readonly mediaType?: string
}

/** The entity's attachments. @see docs/attachments.md */
export interface Attachments {
  /**
   * Keeps bytes beside the log, durable when it resolves. The same bytes again are the same attachment, also in a retried wake.
   *
   * @throws {RouseError} `INVALID_ARGS` naming `name` or `mediaType`; `TOO_LARGE`; `FENCED`.
   */
  put(content: AttachmentContent, options: PutOptions): Promise<AttachmentInfo>
  /** Undefined when there is none. Its bytes are read when they are asked for. */
  get(id: string): Promise<Attachment | undefined>
  list(): Promise<readonly AttachmentInfo[]>
}

export interface Attachment extends AttachmentInfo {
  /** @throws {RouseError} `NOT_FOUND` when it was deleted meanwhile. */
  stream(range?: ByteRange): Promise<ReadableStream<Uint8Array>>
  bytes(): Promise<Uint8Array>
  text(): Promise<string>
}

/** The entity's attachments as a handler or a tool reaches them. @param from What the rows say of where new ones come from. */
export function attachmentsOf(session: Session, from: Pick<AttachmentLabel, "call"> = {}): Attachments {
  const backend = (): AttachmentBackend => {
    if (session.attachments !== undefined) return session.attachments
    throw new RouseError("INVALID_ARGS", "attachments: this host keeps none")
  }
  return {
    async put(content, { name, mediaType }) {
      const label = { name, mediaType: mediaType ?? typeOf(content), run: session.run, ...from }
      return await backend().put(streamOf(typeof content === "string" ? session.vault.text(content) : content), label)
    },
    async get(id) {
      const info = await backend().info(id)
      return info && attachment(backend(), info)
    },
    list: async () => await backend().list(),
  }
}

function attachment(backend: AttachmentBackend, info: AttachmentInfo): Attachment {
  const stream = async (range?: ByteRange): Promise<ReadableStream<Uint8Array>> => {
    const found = await backend.read(info.id, range)
    if (found === undefined) throw new RouseError("NOT_FOUND", `there is no attachment ${JSON.stringify(info.id)}`)
    return found
  }
  const whole = async (): Promise<Response> => new Response((await stream()) as ReadableStream<Uint8Array<ArrayBuffer>>)
  return {
    ...info,
    stream,
    bytes: async () => new Uint8Array(await (await whole()).arrayBuffer()),
    text: async () => await (await whole()).text(),
  }
}

function typeOf(content: AttachmentContent): string {
  if (typeof content === "string") return "text/plain; charset=utf-8"
  return (content instanceof Blob && content.type) || OCTETS
}

function streamOf(content: AttachmentContent): ReadableStream<Uint8Array> {
  if (content instanceof ReadableStream) return content
  if (content instanceof Blob) return content.stream()
  return new Blob([typeof content === "string" ? content : (content as Uint8Array<ArrayBuffer>)]).stream()
}

/** Characters of a text from `offset` on, reading no more than it must; `next` is null at its end. */
export async function readText(
  stream: ReadableStream<Uint8Array>,
  offset: number,
  limit: number,
): Promise<{ readonly text: string; readonly offset: number; readonly next: number | null }> {
  const reader = stream.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader()
  let at = 0
  let text = ""
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return { text, offset, next: null }
      const from = Math.max(0, offset - at)
      const taken = value.slice(from, from + limit - text.length)
      text += taken
      at += value.length
      if (at > offset + limit) return { text, offset, next: offset + text.length }
    }
  } finally {
    await reader.cancel()
  }
}
