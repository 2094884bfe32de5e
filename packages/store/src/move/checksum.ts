import { createHash, hash } from "node:crypto"
import { bytesOfRecord } from "./record.ts"
import type { MoveRecord } from "./record.ts"

/** What a table's records come to. */
export interface TableSum {
  readonly records: number
  readonly bytes: number
  /** 64 hexadecimal digits. */
  readonly checksum: string
}

const LANES = 8

/**
 * The checksum of a set of records: the SHA-256 of each, added up in eight sums of 32 bits.
 *
 * It does not depend on the order, so that each engine may read in the order in which its disk has the records, without sorting what does not fit in
 * memory; and unlike with XOR, a record that is there twice counts. It is against accidents: who can write to the store needs no forgery.
 *
 * A record is hashed as the JSON array of its fields, but for bytes, which follow it as they are.
 */
export class Checksum {
  readonly #lanes = new Uint32Array(LANES)
  records = 0
  bytes = 0

  add(record: MoveRecord): void {
    const digest = digestOf(record)
    for (let lane = 0; lane < LANES; lane += 1) {
      // A lane wraps by itself.
      this.#lanes[lane] = (this.#lanes[lane] as number) + digest.readUInt32BE(lane * 4)
    }
    this.records += 1
    this.bytes += bytesOfRecord(record)
  }

  sum(): TableSum {
    const checksum = [...this.#lanes].map((lane) => lane.toString(16).padStart(8, "0")).join("")
    return { records: this.records, bytes: this.bytes, checksum }
  }
}

function digestOf(record: MoveRecord): Buffer {
  const last = record.at(-1)
  if (!(last instanceof Uint8Array)) return hash("sha256", JSON.stringify(record), "buffer")
  return createHash("sha256")
    .update(JSON.stringify(record.slice(0, -1)))
    .update(last)
    .digest()
}

export function sameSum(a: TableSum, b: TableSum): boolean {
  return a.records === b.records && a.checksum === b.checksum
}
