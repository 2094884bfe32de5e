/**
 * A new id that sorts by time: the milliseconds in 11 hexadecimal digits, then 64 random bits.
 *
 * @param nowMs Milliseconds since the Unix epoch.
 * @param random Uniform in [0, 1).
 */
export function newId(nowMs: number, random: () => number): string {
  return Math.floor(nowMs).toString(16).padStart(11, "0") + word(random) + word(random)
}

function word(random: () => number): string {
  return Math.floor(random() * 0x1_0000_0000)
    .toString(16)
    .padStart(8, "0")
}

/** The key of the `n`th message that an entity accepted, from 1: sorts in the order of arrival. */
export function messageKey(n: number): string {
  return `m${String(n).padStart(9, "0")}`
}
