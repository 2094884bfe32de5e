import { concatBytes } from "./bytes.ts"

/**
 * Batches that follow one another as one piece: how many they are, how long each is, and then their bytes. Numbers are of seven bits a byte, the
 * lowest first, and the highest bit says that more follow.
 */
export function encodeBlock(batches: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const head: number[] = []
  putNumber(head, batches.length)
  for (const batch of batches) putNumber(head, batch.length)
  return concatBytes([Uint8Array.from(head), ...batches])
}

/** The batches: views of `block`. Undefined when it is none. */
export function decodeBlock(block: Uint8Array): readonly Uint8Array[] | undefined {
  const count = takeNumber(block, 0)
  if (count === undefined || count.value > block.length) return undefined
  const lengths: number[] = []
  let at = count.next
  while (lengths.length < count.value) {
    const length = takeNumber(block, at)
    if (length === undefined) return undefined
    lengths.push(length.value)
    at = length.next
  }
  const batches = lengths.map((length) => block.subarray(at, (at += length)))
  return at === block.length ? batches : undefined
}

function putNumber(bytes: number[], value: number): void {
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  bytes.push(rest)
}

/** A number of more than 53 bits is none. */
function takeNumber(bytes: Uint8Array, from: number): { readonly value: number; readonly next: number } | undefined {
  let value = 0
  for (let at = from, unit = 1; at < bytes.length && unit < 2 ** 50; at += 1, unit *= 128) {
    const byte = bytes[at] ?? 0
    value += (byte % 128) * unit
    if (byte < 128) return { value, next: at + 1 }
  }
  return undefined
}
