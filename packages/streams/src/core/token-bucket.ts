/** What is left of a bucket of tokens that fills by itself. */
export interface Bucket {
  readonly tokens: number
  readonly atMs: number
}

export interface BucketRule {
  /** How fast it fills. */
  readonly perSecond: number
  /** How much it holds. */
  readonly burst: number
}

/**
 * Takes one token.
 *
 * @param before Undefined: a full bucket.
 * @returns The bucket after it, and how long until there is a token, in milliseconds: 0 when one was taken.
 */
export function takeToken(
  before: Bucket | undefined,
  { perSecond, burst }: BucketRule,
  nowMs: number,
): readonly [bucket: Bucket, waitMs: number] {
  // A clock that was set back fills nothing, and empties nothing.
  const elapsedMs = before === undefined ? 0 : Math.max(0, nowMs - before.atMs)
  const tokens = before === undefined ? burst : Math.min(burst, before.tokens + (elapsedMs * perSecond) / 1_000)
  if (tokens < 1) return [{ tokens, atMs: nowMs }, Math.ceil(((1 - tokens) * 1_000) / perSecond)]
  return [{ tokens: tokens - 1, atMs: nowMs }, 0]
}
