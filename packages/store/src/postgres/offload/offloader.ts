import { RouseError } from "@rouse/protocol"
import { incarnationOf } from "../../core/offset.ts"
import { leastOf, unbroken } from "../../core/offload.ts"
import type { Batch, OffloadSizes } from "../../core/offload.ts"
import type { Offload, OffloadBucket } from "../../offload.ts"
import type { Connection } from "../connection.ts"
import type { SqlRow } from "../states.ts"
import type { LooseObjects } from "./loose-objects.ts"
import { digestOf, pack } from "./packing.ts"

/** Objects that one step puts. */
const OBJECTS_MAX = 8
/** Batches in one object. */
const BATCHES_MAX = 16_384
const TOKEN_RANGE = 36 ** 8
/** Up to the batch with which an object is full. */
const BATCHES = `SELECT tail, era, data FROM ~chunk WHERE tree = $1 AND stream = $2 AND tail > $3 AND tail <= least($4,
    (SELECT tail FROM ~chunk WHERE tree = $1 AND stream = $2 AND tail >= $5 ORDER BY tail LIMIT 1)) AND era < $6 ORDER BY tail LIMIT ${BATCHES_MAX}`

/** What has been done of one object: where a crash makes a difference. */
export type OffloadStage = "noted" | "put" | "checked" | "swapped"

export interface OffloaderParts {
  readonly connection: Connection
  readonly bucket: OffloadBucket
  readonly loose: LooseObjects
  readonly nonce: string
  readonly random: () => number
  /** Batches older than this go, give or take an hour; 0: whatever their age. */
  readonly afterMs: number
  readonly sizes: OffloadSizes
  /** Told of each stage. What it throws ends the step, as a crash would. */
  readonly onStage?: (stage: OffloadStage, key: string) => void
}

/** A stream of a page, of which something is to be offloaded. */
interface Candidate {
  readonly tree: number
  readonly stream: number
  readonly path: string
  offloaded: number
  from: number
  readonly sealed: number
  readonly quiet: boolean
  readonly era: number
}

/**
 * Moves old batches from the database to a bucket.
 *
 *     a note ──▶ the object put ──▶ read back, compared ──▶ one transaction: batches out, pointer in, note out
 *
 * 1. The bucket has nothing that the database does not know of: what a crash leaves there has a note, and is deleted by it.
 * 2. Batches leave the database only when the object was read back, and is the same; the transaction asks whether they still are as they were.
 * 3. All replicas go one round over the streams together. Two that are at one stream do no harm: one of them is refused, and its object is deleted.
 */
export class Offloader implements Offload {
  readonly #parts: OffloaderParts
  #candidates: Candidate[] = []

  constructor(parts: OffloaderParts) {
    this.#parts = parts
  }

  async step(nowMs: number): Promise<boolean> {
    const deleted = await this.#parts.loose.deleteDue(nowMs)
    const isOver = this.#candidates.length === 0 && !(await this.#look(nowMs))
    for (let objects = 0; objects < OBJECTS_MAX; objects += 1) {
      const [candidate] = this.#candidates
      if (candidate === undefined) break
      if (!(await this.#offload(candidate, nowMs))) this.#candidates.shift()
    }
    return !isOver || deleted
  }

  /** Finds those of the next streams that have something. False: the round is over. */
  async #look(nowMs: number): Promise<boolean> {
    const { connection, afterMs, sizes } = this.#parts
    const { tailBytes } = sizes
    const least = [leastOf({ quiet: true }, sizes), leastOf({ quiet: false }, sizes)]
    const [row] = await connection.repeat(() =>
      connection.call("offload_page_1", [nowMs, afterMs === 0 ? null : nowMs - afterMs, ...least, tailBytes]),
    )
    const page = row?.["offload_page_1"] as
      | { readonly era: number; readonly found: readonly SqlRow[] }
      | null
      | undefined
    if (page === null || page === undefined) return false
    this.#candidates = page.found.map((found) => candidateOf(found, page.era))
    return true
  }

  /** Moves one object's worth. False: there is no more to take from this stream now. */
  async #offload(candidate: Candidate, nowMs: number): Promise<boolean> {
    const { connection, bucket, loose, sizes, onStage } = this.#parts
    const batches = await this.#take(candidate)
    const to = batches.at(-1)?.tail ?? 0
    if (to - candidate.from < leastOf(candidate, sizes) && batches.length < BATCHES_MAX) return false
    const { tree, stream, path, from } = candidate
    const packed = await pack(batches, sizes.blockBytes)
    const key = this.#keyOf(candidate, to)
    await loose.note(tree, key, stream, nowMs)
    onStage?.("noted", key)
    await bucket.put(key, packed.data)
    onStage?.("put", key)
    if (digestOf(await bucket.bytes(key)) !== digestOf(packed.data)) {
      throw new RouseError(
        "STORE_UNAVAILABLE",
        "the bucket gave other bytes back than it was given: they stay where they are",
      )
    }
    onStage?.("checked", key)
    const era = batches.at(-1)?.era ?? 0
    const values = [tree, path, stream, key, candidate.offloaded, from, to, era, batches.length, packed.blocks]
    // Asked again after its answer was lost, it says no, whatever it did: then this stream is for the next round.
    const [row] = await connection.repeat(() => connection.call("offload_1", values))
    onStage?.("swapped", key)
    if (row?.["offload_1"] !== true) return false
    candidate.offloaded = to
    candidate.from = to
    return true
  }

  async #take({ tree, stream, from, sealed, era }: Candidate): Promise<readonly Batch[]> {
    const { connection, sizes } = this.#parts
    const rows = await connection.read(BATCHES, [tree, stream, from, sealed, from + sizes.objectBytes, era])
    const batches = rows.map((row) => ({
      tail: Number(row["tail"]),
      era: Number(row["era"]),
      data: row["data"] as Uint8Array,
    }))
    return unbroken(batches, from)
  }

  /** Says nothing of the agent: neither its address nor its tenant's name. */
  #keyOf({ stream, from }: Candidate, to: number): string {
    const { nonce, random } = this.#parts
    const token = Math.floor(random() * TOKEN_RANGE)
    return `${incarnationOf(stream, nonce)}/${from}-${to}-${token.toString(36).padStart(8, "0")}`
  }
}

function candidateOf(row: SqlRow, era: number): Candidate {
  return {
    tree: Number(row["tree"]),
    stream: Number(row["id"]),
    path: row["path"] as string,
    offloaded: Number(row["offloaded"]),
    from: Number(row["start"]),
    sealed: Number(row["sealed"]),
    quiet: row["quiet"] === true,
    era,
  }
}
