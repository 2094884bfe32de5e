const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPENING = new Set([0x5b, 0x7b])
const CLOSING = new Set([0x5d, 0x7d])

/**
 * How many bytes the first `count` messages of a JSON batch take, their commas included; undefined when it has fewer.
 *
 * @param batch As `frameJson` makes it: valid JSON values, each followed by a comma.
 */
export function jsonPrefixLength(batch: Uint8Array, count: number): number | undefined {
  if (count === 0) return 0
  let left = count
  let depth = 0
  for (let at = 0; at < batch.length; at += 1) {
    const byte = batch[at] as number
    if (byte === QUOTE) at = endOfString(batch, at)
    else if (OPENING.has(byte)) depth += 1
    else if (CLOSING.has(byte)) depth -= 1
    else if (byte === COMMA && depth === 0) left -= 1
    if (left === 0) return at + 1
  }
  return undefined
}

/** Where the quote is that ends the string which begins at `start`. */
function endOfString(batch: Uint8Array, start: number): number {
  let at = start + 1
  while (at < batch.length && batch[at] !== QUOTE) at += batch[at] === BACKSLASH ? 2 : 1
  return at
}
