import { type ByteRange, type EntityUrl, OCTETS, type Offset, RouseError, START } from "@rouse/protocol"
import type { Op, Store } from "@rouse/store"
import { bytesPath, UPLOADS } from "../core/attachment-path.ts"
import { type AttachmentRecord, markBefore } from "../core/attachment-record.ts"
import type { Contents, Finished, Upload } from "./contents.ts"

/** One batch of a stream: small enough that no other commit waits long behind it. */
const PART_BYTES = 262_144
/** Batches between two marks: what a range reads in vain at most. */
const STRIDE_PARTS = 16
const READ_BYTES = 262_144
const SWEEP_MAX = 100

/** What is given from outside: a clock and names that nobody else has. */
export interface StoreContentsOptions {
  readonly store: Store
  readonly clock: () => number
  readonly newKey: () => string
}

/**
 * Keeps bytes in the store, as streams. What fits one part is written in the commit that links it. More is appended to a stream of its own,
 * part by part; the link is a fork of that stream, which copies nothing, and the stream is given up in the same commit. What a
 * crash leaves is such a stream, older than an upload may take.
 */
export function storeContents(options: StoreContentsOptions): Contents {
  const { store } = options
  return {
    partBytes: PART_BYTES,
    begin: (url) => new StoreUpload(options, url),
    read: (url, record, range) => readStream(store, pathOf(url, record), record, range),
    drop: (url, record) => [{ op: "deleteStream", path: pathOf(url, record) }],
    sweep: sweepUploads(store),
  }
}

function pathOf(url: EntityUrl, { id, marks }: AttachmentRecord): string {
  return bytesPath(url, id, marks !== undefined)
}

class StoreUpload implements Upload {
  readonly #options: StoreContentsOptions
  readonly #url: EntityUrl
  readonly #path: string
  readonly #marks: Offset[] = []
  #held: Uint8Array | undefined
  #parts = 0

  constructor(options: StoreContentsOptions, url: EntityUrl) {
    this.#options = options
    this.#url = url
    this.#path = UPLOADS + options.newKey()
  }

  async write(part: Uint8Array): Promise<void> {
    if (this.#held !== undefined) await this.#append(this.#held)
    this.#held = part
  }

  async finish(id: string): Promise<Finished> {
    const nowMs = this.#options.clock()
    const path = bytesPath(this.#url, id, this.#parts > 0)
    const data = this.#held ?? new Uint8Array()
    if (this.#parts === 0) {
      return { ops: [{ op: "createStream", path, contentType: OCTETS, data, closed: true, nowMs }], where: {} }
    }
    await this.#append(data)
    const ops: Op[] = [
      { op: "forkStream", path, source: this.#path, closed: true, nowMs },
      { op: "deleteStream", path: this.#path },
    ]
    return { ops, where: { marks: this.#marks, stride: PART_BYTES * STRIDE_PARTS } }
  }

  async abandon(): Promise<void> {
    if (this.#parts === 0) return
    this.#parts = 0
    await this.#options.store.commit({ ops: [{ op: "deleteStream", path: this.#path }] })
  }

  async #append(data: Uint8Array): Promise<void> {
    const { store, clock } = this.#options
    const path = this.#path
    const nowMs = clock()
    const op: Op =
      this.#parts === 0
        ? { op: "createStream", path, contentType: OCTETS, data, nowMs }
        : { op: "append", path, data, nowMs, silent: true }
    this.#parts += 1
    const { streams } = await store.commit({ ops: [op] })
    const next = streams[path]?.next
    if (next !== undefined && this.#parts % STRIDE_PARTS === 0) this.#marks.push(next)
  }
}

async function* readStream(
  store: Store,
  path: string,
  record: AttachmentRecord,
  { start, end }: Required<ByteRange>,
): AsyncGenerator<Uint8Array> {
  const mark = markBefore(record, start)
  let from = mark.from ?? START
  let skip = mark.skip
  let left = end - start
  while (left > 0) {
    const { data, next, upToDate } = await store.read(path, from, READ_BYTES)
    const part = data.subarray(Math.min(skip, data.length), Math.min(data.length, skip + left))
    skip -= Math.min(skip, data.length)
    left -= part.length
    if (part.length > 0) yield part
    if (upToDate && left > 0)
      throw new RouseError("STORE_DAMAGED", `the stream ${path} has ${left} bytes less than it should`)
    from = next
  }
}

/**
 * Uploads sort by when they began, and what is young stays young for a while: each is looked at once, and a sweep goes on where the last
 * one stopped.
 */
function sweepUploads(store: Store): (beforeMs: number) => Promise<number> {
  let after = UPLOADS
  return async (beforeMs) => {
    let dropped = 0
    for (const path of await store.streamPaths({ prefix: UPLOADS, after, limit: SWEEP_MAX })) {
      const info = await store.stream(path)
      if (info !== undefined && info.createdAtMs > beforeMs) break
      if (info !== undefined) await store.commit({ ops: [{ op: "deleteStream", path }] })
      after = path
      dropped += 1
    }
    return dropped
  }
}
