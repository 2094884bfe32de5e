import { concatBytes } from "./bytes.ts"
import type { EncodedCommit, EncodedOp } from "./encoded.ts"

/** A group of commits as it crosses to another thread: what there is to do, the rows' text one after the other, and the streams' bytes. */
export interface PackedGroup {
  readonly text: string
  readonly rows: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** An operation with the length of its bytes, or of its row's text, where they were. */
type PackedOp = Omit<EncodedOp, "data" | "value"> & {
  readonly data?: number | Uint8Array
  readonly value?: number | string
}

/**
 * Packs a group. Half the work, on both sides, of handing over the objects themselves; and the rows, which are JSON text already, are not
 * quoted into JSON once more.
 */
export function packGroup(group: readonly EncodedCommit[]): PackedGroup {
  const parts: Uint8Array[] = []
  let rows = ""
  const keep = (op: EncodedOp): PackedOp => {
    if (op.op === "putRow") {
      rows += op.value
      return { ...op, value: op.value.length }
    }
    if (!("data" in op) || op.data === undefined) return op
    parts.push(op.data)
    return { ...op, data: op.data.length }
  }
  const text = JSON.stringify(group.map(({ guards, ops }) => ({ guards, ops: ops.map(keep) })))
  return { text, rows, bytes: concatBytes(parts) }
}

export function unpackGroup({ text, rows, bytes }: PackedGroup): EncodedCommit[] {
  const group = JSON.parse(text) as (Omit<EncodedCommit, "ops"> & { readonly ops: Unpacking[] })[]
  let at = 0
  let rowAt = 0
  for (const { ops } of group) {
    for (const op of ops) {
      if (typeof op.data === "number") op.data = bytes.subarray(at, (at += op.data))
      if (typeof op.value === "number") op.value = rows.slice(rowAt, (rowAt += op.value))
    }
  }
  return group as unknown as EncodedCommit[]
}

interface Unpacking {
  data?: number | Uint8Array
  value?: number | string
}
