import type { AttachmentInfo, AttachmentPage, EntityUrl } from "@rouse/protocol"
import { entityPath, queryString } from "./core/address.ts"
import type { Transport } from "./transport.ts"
import type { SendOptions } from "./messages.ts"
import type { CallOptions, WriteOptions } from "./options.ts"

/** A file on its way: text, bytes, a `Blob` or `File`, or a stream. */
export interface FileInput {
  readonly content: string | Uint8Array | Blob | ReadableStream<Uint8Array>
  /** A `File`'s own when absent. */
  readonly name?: string | undefined
  /** A `Blob`'s own when absent. */
  readonly mediaType?: string | undefined
}

export interface UploadOptions extends CallOptions, Omit<FileInput, "content"> {}

export interface FilesOption {
  /** Files that come with it: they are uploaded first. */
  readonly files?: readonly FileInput[] | undefined
}

/** Files beside an entity's log. */
export interface Attachments {
  /**
   * Puts a file beside the entity's log, for messages to bring and for the agent to read. The same bytes again are the same attachment.
   *
   * @throws {RouseError} `TOO_LARGE`; `INVALID_ARGS` naming `name`.
   * @example
   * const { id } = await client.upload("/assistant/one", file)
   * await client.send("/assistant/one", "What is in this picture?", { attachments: [id] })
   */
  upload(url: EntityUrl, content: FileInput["content"], options?: UploadOptions): Promise<AttachmentInfo>
  attachments(url: EntityUrl, options?: CallOptions): Promise<readonly AttachmentInfo[]>
  /** An attachment's bytes, as the answer to a request. @throws {RouseError} `NOT_FOUND`. */
  attachment(url: EntityUrl, id: string, options?: CallOptions): Promise<Response>
  deleteAttachment(url: EntityUrl, id: string, options?: WriteOptions): Promise<void>
}

/** Puts a file beside an entity's log. Bytes are sent again after a passing failure; a stream, which is gone by then, is not. */
export async function upload(
  transport: Transport,
  url: string,
  content: FileInput["content"],
  { name, mediaType, signal }: UploadOptions,
): Promise<AttachmentInfo> {
  const named = fileName({ name, content })
  const type = mediaType ?? (content instanceof Blob && content.type !== "" ? content.type : undefined)
  const bytes = typeof content === "string" ? new Blob([content]) : content
  return transport.json({
    method: "POST",
    path: entityPath(url, "attachments") + queryString({ name: named }),
    bytes: bytes as NonNullable<RequestInit["body"]>,
    mediaType: type ?? (typeof content === "string" ? "text/plain; charset=utf-8" : "application/octet-stream"),
    signal,
  })
}

/** All of an entity's attachments. */
export async function attachments(
  transport: Transport,
  url: string,
  options?: CallOptions,
): Promise<readonly AttachmentInfo[]> {
  const found: AttachmentInfo[] = []
  for (let after: string | undefined = ""; after !== undefined;) {
    const path = entityPath(url, "attachments") + queryString(after === "" ? {} : { after })
    const page: AttachmentPage = await transport.json({ path, signal: options?.signal })
    found.push(...page.attachments)
    after = page.next
  }
  return found
}

/** Uploads the files of a message, one after the other, and gives their ids with those that are there already. */
export async function withFiles<T extends SendOptions & { readonly files?: readonly FileInput[] | undefined }>(
  transport: Transport,
  url: string,
  { files = [], ...options }: T,
): Promise<Omit<T, "files">> {
  if (files.length === 0) return options
  const ids: string[] = [...((options as SendOptions).attachments ?? [])]
  for (const { content, name, mediaType } of files)
    ids.push((await upload(transport, url, content, { name, mediaType, signal: (options as SendOptions).signal })).id)
  return { ...options, attachments: ids }
}

/** What a file is called. */
export function fileName({ name, content }: Pick<FileInput, "name" | "content">): string {
  return name ?? (content instanceof Blob && "name" in content ? String(content.name) : "file")
}
