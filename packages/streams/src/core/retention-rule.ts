import { RouseError } from "@rouse/protocol"

/** What is kept of streams whose paths begin alike. With both bounds, what either keeps is kept. Without any, all but the last batch may go. */
export interface RetentionRule {
  readonly prefix: string
  /** Keep what is younger than this, milliseconds. */
  readonly keepMs?: number
  /** Keep about this much before the tail, in bytes. */
  readonly keepBytes?: number
}

/** @throws {RouseError} `BAD_REQUEST` naming the rule and its field. */
export function checkRules(rules: readonly RetentionRule[]): void {
  for (const [index, { keepMs = 0, keepBytes = 0 }] of rules.entries()) {
    for (const [field, value] of Object.entries({ keepMs, keepBytes })) {
      if (Number.isFinite(value) && value >= 0) continue
      throw new RouseError("BAD_REQUEST", `retention[${index}].${field}: must be a number of at least 0, not ${value}`)
    }
  }
}

/** The rule for a stream: the one with the longest prefix. */
export function ruleOf(rules: readonly RetentionRule[], path: string): RetentionRule | undefined {
  const matching = rules.filter(({ prefix }) => path.startsWith(prefix))
  return matching.reduce<RetentionRule | undefined>(
    (best, rule) => (best === undefined || rule.prefix.length > best.prefix.length ? rule : best),
    undefined,
  )
}
