import type { EncodedCommit, EncodedOp } from "./encoded.ts"

/** A group of commits as it crosses to another thread: text, and the streams' bytes one after the other. */
export interface PackedGroup {
  readonly text: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** An operation with the length of its bytes where they were. */
type PackedOp = Omit<EncodedOp, "data"> & { readonly data?: number | Uint8Array }

/** Packs a group. Half the work, on both sides, of handing over the objects themselves. */
export function packGroup(group: readonly EncodedCommit[]): PackedGroup {
  const parts: Uint8Array[] = []
  let length = 0
  const keep = (op: EncodedOp): PackedOp => {
    if (!("data" in op) || op.data === undefined) return op
    parts.push(op.data)
    length += op.data.length
    return { ...op, data: op.data.length }
  }
  const text = JSON.stringify(group.map(({ guards, ops }) => ({ guards, ops: ops.map(keep) })))
  return { text, bytes: concat(parts, length) }
}

export function unpackGroup({ text, bytes }: PackedGroup): EncodedCommit[] {
  const group = JSON.parse(text) as (Omit<EncodedCommit, "ops"> & { readonly ops: { data?: number | Uint8Array }[] })[]
  let at = 0
  for (const { ops } of group) {
    for (const op of ops) {
      if (typeof op.data !== "number") continue
      op.data = bytes.subarray(at, (at += op.data))
    }
  }
  return group as unknown as EncodedCommit[]
}

function concat(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
