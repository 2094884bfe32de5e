import { createHash, type Hash } from "node:crypto"
import {
  type BundleEntity,
  type BundleHead,
  type BundlePart,
  BUNDLE_VERSION,
  type EntityUrl,
  type JsonObject,
  type Offset,
  RouseError,
} from "@rouse/protocol"
import { bundlePart } from "@rouse/protocol/bundle-schemas"
import type { AppendOp, Op } from "@rouse/store"
import { changesIn } from "../history.ts"
import type { Plane } from "../plane.ts"
import { IncomingAttachment } from "./attachments.ts"

/** Where logs wait that are not yet anybody's. */
export const INCOMING = "__rouse/imports/"
/** Bytes of a log that are written in one commit. */
const COMMIT_BYTES = 1_048_576

/** One entity that came in whole: what its log is to be forked of, and what goes with it. */
export interface Arrived {
  readonly entity: BundleEntity
  readonly path: string
  readonly offset: Offset
  readonly rows: { readonly count: number; readonly sha256: string }
  /** What gives it its attachments. */
  readonly attachments: readonly Op[]
  readonly work: readonly JsonObject[]
}

/**
 * Takes in the parts of a bundle in their order, and checks each digest. Logs are written as they come, to streams that are nobody's: what is
 * committed last makes them somebody's, or `undo` takes them away.
 *
 * Invariants:
 * 1. A log is at most `COMMIT_BYTES` in memory.
 * 2. Nothing is an entity before `done` was seen and every digest was right.
 */
export class Incoming {
  readonly #plane: Plane
  readonly #prefix: string
  readonly #urlOf: (url: EntityUrl) => EntityUrl
  readonly #all: Hash = createHash("sha256")
  readonly arrived: Arrived[] = []
  head: BundleHead | undefined
  isDone = false
  #lines = 0
  #open: Open | undefined
  #paths: string[] = []

  /**
   * @param id Names it among others that come in.
   * @param urlOf Who becomes whom.
   */
  constructor(plane: Plane, id: string, urlOf: (url: EntityUrl) => EntityUrl) {
    this.#plane = plane
    this.#urlOf = urlOf
    this.#prefix = `${INCOMING}${id}/`
  }

  async add(line: Buffer): Promise<void> {
    const part = parse(line, this.#lines + 1)
    if (this.isDone) throw bad(this.#lines + 1, "there is more behind its end")
    if (this.head === undefined && part.part !== "bundle") throw bad(1, "it does not begin as a bundle does")
    if (part.part === "done") return this.#done(part)
    this.#all.update(line)
    this.#lines += 1
    switch (part.part) {
      case "bundle":
        return this.#begin(part)
      case "entity":
        return this.#entity(part)
      case "log":
        return this.#log(part.data)
      case "attachment":
        return this.#attachment(part)
      case "work":
        this.#need().work.push(part.item)
        return
      case "end":
        return this.#end(part)
    }
  }

  /** Takes away what was written. */
  async undo(): Promise<void> {
    await this.#open?.attachment?.abandon()
    if (this.#paths.length > 0) await this.#plane.store.commit({ ops: this.drop() })
  }

  drop(): readonly Op[] {
    return this.#paths.map((path) => ({ op: "deleteStream", path }))
  }

  #begin(head: BundleHead): void {
    if (this.head) throw bad(this.#lines, "it begins twice")
    if (head.version !== BUNDLE_VERSION)
      throw bad(1, `it is of version ${head.version}, and this server reads ${BUNDLE_VERSION}`)
    this.head = head
  }

  async #entity(entity: BundleEntity): Promise<void> {
    if (this.#open) throw bad(this.#lines, `${entity.url} begins before ${this.#open.entity.url} has ended`)
    if (this.head?.entities[this.arrived.length]?.url !== entity.url)
      throw bad(this.#lines, `${entity.url} is not the one that its head tells of`)
    const path = this.#prefix + String(this.arrived.length)
    const nowMs = this.#plane.clock()
    await this.#plane.store.commit({ ops: [{ op: "createStream", path, contentType: "application/json", nowMs }] })
    this.#paths.push(path)
    const hash = createHash("sha256")
    this.#open = {
      entity,
      path,
      hash,
      batches: 0,
      bytes: 0,
      held: [],
      attachments: [],
      attachment: undefined,
      attached: 0,
      work: [],
    }
  }

  async #log(data: string): Promise<void> {
    const open = this.#need()
    const bytes = Buffer.from(data)
    try {
      changesIn(bytes)
    } catch (error) {
      throw bad(this.#lines, `its log is no JSON: ${String(error)}`)
    }
    open.hash.update(data)
    open.batches += 1
    open.bytes += bytes.length
    open.held.push({ op: "append", path: open.path, data: bytes, nowMs: this.#plane.clock(), silent: true })
    if (open.bytes >= COMMIT_BYTES) await this.#flush(open)
  }

  async #flush(open: Open): Promise<void> {
    const ops = open.held.splice(0)
    open.bytes = 0
    if (ops.length > 0) await this.#plane.store.commit({ ops })
  }

  /** The pieces of one come one after the other. */
  async #attachment(part: Extract<BundlePart, { part: "attachment" }>): Promise<void> {
    const open = this.#need()
    if (open.attachment?.id !== part.id) {
      await this.#attached(open)
      open.attachment = new IncomingAttachment(this.#plane, this.#urlOf(open.entity.url), part)
    }
    await open.attachment?.add(part.data)
  }

  async #attached(open: Open): Promise<void> {
    if (!open.attachment) return
    open.attachments.push(...(await open.attachment.finish()))
    open.attachment = undefined
    open.attached += 1
  }

  async #end({ url, log, rows, attachments }: Extract<BundlePart, { part: "end" }>): Promise<void> {
    const open = this.#need()
    await this.#flush(open)
    await this.#attached(open)
    if (open.entity.url !== url) throw bad(this.#lines, `${url} ends, and ${open.entity.url} began`)
    if (log.batches !== open.batches || log.sha256 !== open.hash.digest("hex"))
      throw bad(this.#lines, `the log of ${url} is not the one that was exported`)
    const offset = (await this.#plane.store.stream(open.path))?.next
    if (offset === undefined || open.batches === 0) throw bad(this.#lines, `${url} has no log`)
    if (open.attached > attachments) throw bad(this.#lines, `${url} has more attachments than were exported`)
    this.arrived.push({ ...open, offset, rows })
    this.#open = undefined
  }

  #done({ lines, sha256 }: Extract<BundlePart, { part: "done" }>): void {
    if (lines !== this.#lines || sha256 !== this.#all.digest("hex")) throw bad(this.#lines + 1, "its digest is another")
    if (this.#open || this.arrived.length !== this.head?.entities.length)
      throw bad(this.#lines + 1, "entities are missing")
    this.isDone = true
  }

  #need(): Open {
    if (!this.#open) throw bad(this.#lines, "this belongs to no entity")
    return this.#open
  }
}

interface Open {
  readonly entity: BundleEntity
  readonly path: string
  readonly hash: Hash
  readonly held: AppendOp[]
  readonly attachments: Op[]
  attachment: IncomingAttachment | undefined
  attached: number
  readonly work: JsonObject[]
  batches: number
  bytes: number
}

function parse(line: Buffer, number: number): BundlePart {
  let value: unknown
  try {
    value = JSON.parse(line.toString())
  } catch {
    throw bad(number, "it is no JSON")
  }
  const checked = bundlePart.safeParse(value)
  if (checked.success) return checked.data
  const [issue] = checked.error.issues
  throw bad(number, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "is not valid"}`)
}

function bad(line: number, why: string): RouseError {
  return new RouseError("BAD_REQUEST", `bundle, line ${line}: ${why}`, { details: { line } })
}
