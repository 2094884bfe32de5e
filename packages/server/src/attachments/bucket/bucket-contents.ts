import { type ByteRange, type EntityUrl, RouseError, START } from "@rouse/protocol"
import { frameJson, type Op, parseJson, type Store } from "@rouse/store"
import type { Bucket } from "@rouse/store/bucket"
import { OBJECTS } from "../../core/attachment-path.ts"
import type { Contents, Finished, Upload } from "../contents.ts"

/** The least that S3 takes as a part, but for the last. */
const PART_BYTES = 5_242_880
const SWEEP_MAX = 100
const NOTE_BYTES_MAX = 65_536

export interface BucketContentsOptions {
  readonly bucket: Bucket
  readonly store: Store
  /** For what the bucket does not have: what came in before there was one, and large results of tools. */
  readonly rest: Contents
  readonly clock: () => number
  readonly newKey: () => string
}

/** What a note says of an object that nothing refers to. */
interface Note {
  readonly object?: string
  /** An upload of several parts that may be open. */
  readonly upload?: string
  /** Something referred to it once: it goes with the next sweep. */
  readonly dropped?: true
}

/**
 * Keeps bytes in a bucket. Before anything is sent there, a note in the store names it; the commit that links it takes the note away. So what a crash
 * leaves there has a note, and is swept by it, without ever listing the bucket. What is deleted gets a note in the commit that deletes it.
 */
export function bucketContents(options: BucketContentsOptions): Contents {
  const { bucket, store, rest } = options
  return {
    partBytes: PART_BYTES,
    begin: (url) => new BucketUpload(options, url),
    read: (url, record, range) =>
      record.object === undefined ? rest.read(url, record, range) : readObject(bucket, record.object, range),
    drop: (url, record, nowMs) =>
      record.object === undefined
        ? rest.drop(url, record, nowMs)
        : [noteOp(record.object, { object: record.object, dropped: true }, nowMs)],
    sweep: async (beforeMs, nowMs) =>
      (await rest.sweep(beforeMs, nowMs)) + (await sweepObjects(bucket, store, beforeMs)),
  }
}

class BucketUpload implements Upload {
  readonly #options: BucketContentsOptions
  readonly #object: string
  readonly #tags: string[] = []
  #held: Uint8Array | undefined
  #upload: string | undefined
  #noted = false

  constructor(options: BucketContentsOptions, url: EntityUrl) {
    this.#options = options
    this.#object = `${url.slice(1)}/${options.newKey()}`
  }

  async write(part: Uint8Array): Promise<void> {
    if (this.#held !== undefined) await this.#send(this.#held)
    this.#held = part
  }

  async finish(): Promise<Finished> {
    const { bucket } = this.#options
    const data = this.#held ?? new Uint8Array()
    await this.#note()
    if (this.#upload === undefined) await bucket.put(this.#object, data)
    else {
      await this.#send(data)
      await bucket.complete(this.#object, this.#upload, this.#tags)
    }
    return { ops: [{ op: "deleteStream", path: notePath(this.#object) }], where: { object: this.#object } }
  }

  async abandon(): Promise<void> {
    if (!this.#noted) return
    const { bucket, store } = this.#options
    await forget(bucket, store, notePath(this.#object), {
      object: this.#object,
      ...(this.#upload ? { upload: this.#upload } : {}),
    })
    this.#noted = false
  }

  async #send(data: Uint8Array): Promise<void> {
    const { bucket, store, clock } = this.#options
    await this.#note()
    if (this.#upload === undefined) {
      this.#upload = await bucket.begin(this.#object)
      const path = notePath(this.#object)
      await store.commit({ ops: [{ op: "append", path, data: frameJson([{ upload: this.#upload }]), nowMs: clock() }] })
    }
    this.#tags.push(await bucket.part(this.#object, this.#upload, this.#tags.length + 1, data))
  }

  async #note(): Promise<void> {
    if (this.#noted) return
    await this.#options.store.commit({ ops: [noteOp(this.#object, { object: this.#object }, this.#options.clock())] })
    this.#noted = true
  }
}

function notePath(object: string): string {
  return OBJECTS + object.slice(object.lastIndexOf("/") + 1)
}

function noteOp(object: string, note: Note, nowMs: number): Op {
  return { op: "createStream", path: notePath(object), contentType: "application/json", data: frameJson([note]), nowMs }
}

async function* readObject(
  bucket: Bucket,
  object: string,
  { start, end }: Required<ByteRange>,
): AsyncGenerator<Uint8Array> {
  if (end <= start) return
  let left = end - start
  const reader = (await bucket.get(object, start, end)).getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      left -= value.length
      yield value
    }
  } finally {
    await reader.cancel()
  }
  if (left !== 0) throw new RouseError("STORE_UNAVAILABLE", "the bucket of attachments answered with another length")
}

async function sweepObjects(bucket: Bucket, store: Store, beforeMs: number): Promise<number> {
  let dropped = 0
  for (const path of await store.streamPaths({ prefix: OBJECTS, limit: SWEEP_MAX })) {
    const info = await store.stream(path)
    if (info === undefined) continue
    const { chunks } = await store.read(path, START, NOTE_BYTES_MAX)
    const note: Note = Object.assign({}, ...(parseJson(chunks) as unknown as Note[]))
    if (note.dropped !== true && info.createdAtMs > beforeMs) continue
    await forget(bucket, store, path, note)
    dropped += 1
  }
  return dropped
}

/** The object first, and then its note: a crash between the two leaves the note. */
async function forget(bucket: Bucket, store: Store, path: string, { object, upload }: Note): Promise<void> {
  if (object !== undefined && upload !== undefined) await bucket.abort(object, upload)
  if (object !== undefined) await bucket.delete(object)
  await store.commit({ ops: [{ op: "deleteStream", path }] })
}
