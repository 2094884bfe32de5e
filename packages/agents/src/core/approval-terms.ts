import { RouseError, ruleFor, stricter } from "@rouse/protocol"
import type { ApprovalRule, ApprovalTerms, RuleFacts } from "@rouse/protocol"

const QUORUM_MAX = 10

/** What is to be asked of people before a call runs. */
export interface Asking {
  readonly terms: ApprovalTerms
  /** The rule that asks for it. */
  readonly rule?: string
}

/**
 * What the tool itself and every policy require of a call together: undefined when none of them requires anything.
 *
 * @param policies Lists of rules; in each the first that matches counts.
 */
export function askingOf(
  own: boolean | ApprovalTerms,
  policies: readonly (readonly ApprovalRule[])[],
  facts: RuleFacts,
): Asking | undefined {
  let asking: Asking | undefined = own === false ? undefined : { terms: own === true ? {} : own }
  for (const rules of policies) {
    const found = ruleFor(rules, facts)
    if (found) asking = { rule: found.rule, terms: asking ? stricter(asking.terms, found.terms) : found.terms }
  }
  return asking
}

/** @throws {RouseError} `INVALID_ARGS` naming the option that is wrong. */
export function checkTerms(terms: ApprovalTerms, what: string): void {
  const { quorum, from, deadlineMs, escalateTo } = terms
  const fail = (field: string, rule: string): never => {
    throw new RouseError("INVALID_ARGS", `${what}.${field} ${rule}`, { details: { field: `${what}.${field}` } })
  }
  if (quorum !== undefined && !(Number.isInteger(quorum) && quorum >= 1 && quorum <= QUORUM_MAX))
    fail("quorum", `must be a whole number from 1 to ${QUORUM_MAX}`)
  if (deadlineMs !== undefined && !(Number.isSafeInteger(deadlineMs) && deadlineMs > 0))
    fail("deadlineMs", "must be a positive whole number of milliseconds")
  for (const [field, names] of Object.entries({ from, escalateTo })) {
    const isNames = names === undefined || (names.length > 0 && names.every((name) => typeof name === "string" && name))
    if (!isNames) fail(field, "must be names of principals, at least one")
  }
  if (quorum !== undefined && from && new Set(from).size < quorum)
    fail("quorum", "is more than there are names in from")
  if (escalateTo && deadlineMs === undefined) fail("escalateTo", "needs a deadlineMs to escalate after")
}
