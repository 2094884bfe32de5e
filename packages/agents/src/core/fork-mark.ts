/**
 * What tells the ids that a fork makes from those of its original: a fork goes on with the original's wake, whose ids are counted alike, and
 * timers and children are known by them everywhere. 44 bits of the fork's address and time, as 11 hexadecimal digits.
 */
export function forkMark(url: string, createdAt: string): string {
  let [low, high] = [0xdead_beef, 0x41c6_ce57]
  for (const char of `${url}@${createdAt}`) {
    const code = char.codePointAt(0) ?? 0
    low = Math.imul(low ^ code, 0x9e37_79b1)
    high = Math.imul(high ^ code, 0x5f35_6495)
  }
  return ((high & 0xf_ffff) >>> 0).toString(16).padStart(5, "0") + (low >>> 8).toString(16).padStart(6, "0")
}
