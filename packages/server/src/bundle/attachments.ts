import { createHash, type Hash } from "node:crypto"
import { type AttachmentInfo, type BundlePart, type EntityUrl, RouseError } from "@rouse/protocol"
import type { Op } from "@rouse/store"
import { readBytes, readRecord, recordOp } from "../attachments/attachments.ts"
import type { Upload } from "../attachments/contents.ts"
import { partsOf } from "../attachments/parts.ts"
import { isoTime } from "../core/control.ts"
import type { Plane } from "../plane.ts"

/** Bytes of an attachment on one line, before base64. */
const PIECE_BYTES = 262_144

/** An attachment, piece by piece; nothing when it is not there any more. */
export async function* attachmentIn(plane: Plane, url: EntityUrl, id: string): AsyncGenerator<BundlePart> {
  const record = await readRecord(plane, url, id)
  if (!record) return
  const { name, mediaType } = record
  if (record.size === 0) yield { part: "attachment", id, name, mediaType, data: "" }
  for await (const piece of partsOf(readBytes(plane, url, record), PIECE_BYTES))
    yield { part: "attachment", id, name, mediaType, data: Buffer.from(piece).toString("base64") }
}

/** One attachment that comes in, with no more of it in memory than a part of what keeps it. */
export class IncomingAttachment {
  readonly id: string
  readonly #plane: Plane
  readonly #url: EntityUrl
  readonly #label: Pick<AttachmentInfo, "name" | "mediaType">
  readonly #upload: Upload
  readonly #hash: Hash = createHash("sha256")
  #held: Buffer = Buffer.alloc(0)
  #size = 0

  constructor(
    plane: Plane,
    url: EntityUrl,
    { id, name, mediaType }: Pick<AttachmentInfo, "id" | "name" | "mediaType">,
  ) {
    this.id = id
    this.#plane = plane
    this.#url = url
    this.#label = { name, mediaType }
    this.#upload = plane.attachments.contents.begin(url)
  }

  /** @throws {RouseError} `TOO_LARGE`. */
  async add(data: string): Promise<void> {
    const bytes = Buffer.from(data, "base64")
    const { bytesMax, contents } = this.#plane.attachments
    this.#hash.update(bytes)
    this.#size += bytes.length
    if (this.#size > bytesMax) throw new RouseError("TOO_LARGE", `an attachment may have at most ${bytesMax} bytes`)
    this.#held = Buffer.concat([this.#held, bytes])
    while (this.#held.length > contents.partBytes) {
      await this.#upload.write(this.#held.subarray(0, contents.partBytes))
      this.#held = this.#held.subarray(contents.partBytes)
    }
  }

  /**
   * What links it, in the commit that makes the entity.
   *
   * @throws {RouseError} `BAD_REQUEST` when the bytes are not those of the name.
   */
  async finish(): Promise<readonly Op[]> {
    const { id } = this
    if (this.#hash.digest("hex") !== id)
      throw new RouseError("BAD_REQUEST", `attachment: what the bundle has of "${id}" is not its bytes`)
    if (this.#held.length > 0) await this.#upload.write(this.#held)
    const { ops, where } = await this.#upload.finish(id)
    const nowMs = this.#plane.clock()
    const record = { type: "attachment" as const, id, ...this.#label, size: this.#size, at: isoTime(nowMs), ...where }
    return [...ops, recordOp(this.#url, record, nowMs)]
  }

  abandon(): Promise<void> {
    return this.#upload.abandon()
  }
}
