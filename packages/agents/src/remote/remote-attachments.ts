import { OCTETS } from "@rouse/protocol"
import type { AttachmentBackend, AttachmentInfo, AttachmentLabel, ByteRange } from "@rouse/protocol"
import type { ServerCalls } from "./server-calls.ts"

const PATH = "/v1/claims/attachments"

/** Attachments of the entity whose wake a handler outside of the server has: one request for each call, bytes as they come. */
export class RemoteAttachments implements AttachmentBackend {
  readonly #calls: ServerCalls
  readonly #claim: string

  constructor(calls: ServerCalls, claim: string) {
    this.#calls = calls
    this.#claim = claim
  }

  async put(
    content: ReadableStream<Uint8Array>,
    { mediaType = OCTETS, ...label }: AttachmentLabel,
  ): Promise<AttachmentInfo> {
    const query = new URLSearchParams(label)
    const init = {
      method: "POST",
      headers: { "content-type": mediaType },
      body: content,
      duplex: "half",
    } as RequestInit
    return await this.#json(`${PATH}?${query}`, init)
  }

  async info(id: string): Promise<AttachmentInfo | undefined> {
    const response = await this.#calls.raw(`${PATH}/${encodeURIComponent(id)}/info`, this.#claim)
    return response && ((await response.json()) as AttachmentInfo)
  }

  async read(id: string, range?: ByteRange): Promise<ReadableStream<Uint8Array> | undefined> {
    const part = range && `bytes=${range.start}-${range.end === undefined ? "" : range.end - 1}`
    const init = part === undefined ? {} : { headers: { range: part } }
    const response = await this.#calls.raw(`${PATH}/${encodeURIComponent(id)}`, this.#claim, init)
    return response && (response.body ?? new Blob([]).stream())
  }

  async list(): Promise<readonly AttachmentInfo[]> {
    return (await this.#json<{ readonly attachments: readonly AttachmentInfo[] }>(PATH, {})).attachments
  }

  async #json<T>(path: string, init: RequestInit): Promise<T> {
    return (await (await this.#calls.raw(path, this.#claim, init, true))?.json()) as T
  }
}
