import { RouseError } from "@rouse/protocol"
import type { Contents } from "./contents.ts"

/** How old what was never linked must be before it is swept: no upload takes that long. */
const ORPHAN_MS = 3_600_000

/** What the control plane keeps of attachments: where bytes are, and how many uploads are under way. */
export class AttachmentDesk {
  readonly contents: Contents
  /** Bytes that one may have. */
  readonly bytesMax: number
  readonly #uploadsMax: number
  #uploads = 0

  constructor(contents: Contents, bytesMax: number, uploadsMax: number) {
    this.contents = contents
    this.bytesMax = bytesMax
    this.#uploadsMax = uploadsMax
  }

  /**
   * Begins an upload. Returns what ends it.
   *
   * @throws {RouseError} `OVERLOADED`.
   */
  admit(): () => void {
    if (this.#uploads >= this.#uploadsMax)
      throw new RouseError("OVERLOADED", `${this.#uploadsMax} attachments are coming in; send it again later`)
    this.#uploads += 1
    return () => {
      this.#uploads -= 1
    }
  }

  sweep(nowMs: number): Promise<number> {
    return this.contents.sweep(nowMs - ORPHAN_MS, nowMs)
  }
}
