import { RouseError } from "@rouse/protocol"
import type { Store } from "@rouse/store"
import type { Clock } from "../clock.ts"
import type { MergeRow } from "../core/live-rows.ts"
import { checkRules, ruleOf } from "../core/retention-rule.ts"
import type { RetentionRule } from "../core/retention-rule.ts"
import { trimStream } from "./trim.ts"

/** Streams that one step looks at. */
const PATHS_MAX = 100
/** Streams that one step trims. */
const TRIMS_MAX = 10
/** A trim takes at least so much, and no less than the snapshot that it writes. */
const TRIM_BYTES_MIN = 64 * 1024
const ROUND_MS = 3_600_000

export interface CompactorOptions {
  readonly store: Store
  readonly clock: Clock
  readonly rules: readonly RetentionRule[]
  /** How rows of a stream are told from its changes, where not every change stands for the whole row. */
  readonly mergeOf?: (path: string) => MergeRow | undefined
  /** From the end of one round over all streams to the next, milliseconds. Default: one hour. */
  readonly roundMs?: number
  /** The least that a trim takes from a stream, in bytes. Default 64 KiB. */
  readonly trimBytesMin?: number
  readonly onError?: (error: unknown) => void
}

/** Takes away, by policy, what is past. */
export interface Compactor {
  /** Does a bounded piece of the work. Returns 0 when there is none until the next round. */
  step(): Promise<number>
}

/**
 * Compacts old history: the state at a later offset takes the place of all before it.
 *
 * @throws {RouseError} `BAD_REQUEST` when a rule makes no sense.
 *
 * 1. A trim is one commit: the snapshot at the new horizon, and the horizon. A crash leaves the old or the new.
 * 2. The store decides how far: never past what the rule, a pin or the last batch keeps.
 * 3. Only streams that a rule names are looked at, in pages; idle ones cost a look a round.
 */
export function createCompactor(options: CompactorOptions): Compactor {
  const { store, clock, rules, roundMs = ROUND_MS, onError = () => undefined } = options
  checkRules(rules)
  let rule = 0
  let after = ""
  let nextRoundAtMs = 0

  async function step(): Promise<number> {
    const current = rules[rule]
    if (current === undefined || clock.now() < nextRoundAtMs) return 0
    const paths = await store.streamPaths({ prefix: current.prefix, after, limit: PATHS_MAX })
    let trims = 0
    for (const path of paths) {
      if (ruleOf(rules, path) === current && (await tryTrim(current, path))) trims += 1
      after = path
      if (trims >= TRIMS_MAX) return trims
    }
    if (paths.length === PATHS_MAX) return trims + 1
    return trims + nextRule()
  }

  /** 1 when there is another rule to go through in this round. */
  function nextRule(): number {
    after = ""
    rule += 1
    if (rule < rules.length) return 1
    rule = 0
    nextRoundAtMs = clock.now() + roundMs
    return 0
  }

  /** One stream that cannot be compacted does not keep the others from it. */
  async function tryTrim(by: RetentionRule, path: string): Promise<boolean> {
    try {
      return await trim(by, path)
    } catch (error) {
      // Deleted, or pinned since it was looked at.
      if (!RouseError.is(error, "UNKNOWN_STREAM", "CONFLICT")) onError(error)
      return false
    }
  }

  async function trim({ keepMs, keepBytes }: RetentionRule, path: string): Promise<boolean> {
    const keep = {
      ...(keepMs !== undefined && { ageMs: keepMs }),
      ...(keepBytes !== undefined && { bytes: keepBytes }),
    }
    const merge = options.mergeOf?.(path)
    const bytesMin = options.trimBytesMin ?? TRIM_BYTES_MIN
    return (await trimStream({ store, clock, merge, bytesMin, path, keep })) !== undefined
  }

  return { step }
}
