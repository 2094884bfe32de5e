import type { ApprovalRule, ApprovalTerms, RuleFacts } from "./approval.ts"

/**
 * What the first rule that matches requires of a call; undefined when none does, or it requires nothing.
 *
 * Pure: a handler and the server come to the same answer.
 */
export function ruleFor(
  rules: readonly ApprovalRule[],
  facts: RuleFacts,
): { readonly rule: string; readonly terms: ApprovalTerms } | undefined {
  const rule = rules.find((candidate) => matches(candidate, facts))
  return rule === undefined || rule.require === false ? undefined : { rule: rule.name, terms: rule.require }
}

/** The stricter of two: the larger quorum, the sooner deadline, and only whom both let decide. */
export function stricter(a: ApprovalTerms, b: ApprovalTerms): ApprovalTerms {
  const quorum = Math.max(a.quorum ?? 1, b.quorum ?? 1)
  const from = a.from && b.from ? a.from.filter((name) => b.from?.includes(name)) : (a.from ?? b.from)
  const deadlines = [a.deadlineMs, b.deadlineMs].filter((ms) => ms !== undefined)
  const escalateTo = b.escalateTo ?? a.escalateTo
  return {
    ...(quorum > 1 ? { quorum } : {}),
    ...(from ? { from } : {}),
    ...(deadlines.length > 0 ? { deadlineMs: Math.min(...deadlines) } : {}),
    ...(escalateTo ? { escalateTo } : {}),
  }
}

function matches(rule: ApprovalRule, facts: RuleFacts): boolean {
  const { effect, backend, tags, askedBy, amount } = rule
  if (!like(rule.tool, facts.tool) || !like(rule.type, facts.type)) return false
  if (effect && !effect.includes(facts.effect)) return false
  if (backend && !(facts.backend && backend.includes(facts.backend))) return false
  if (!Object.entries(tags ?? {}).every(([name, pattern]) => isTagged(facts, name, pattern))) return false
  if (askedBy !== undefined && !facts.askedBy.some(({ kind, id }) => like(askedBy, `${kind}:${id}`))) return false
  return amount === undefined || isOver(facts.input, amount)
}

function isTagged({ tags }: RuleFacts, name: string, pattern: string): boolean {
  return Object.hasOwn(tags, name) && like(pattern, tags[name] as string)
}

/** Whether a text fits a pattern. Each part between stars is looked for once, from the left: no backtracking. */
function like(pattern: string | undefined, text: string): boolean {
  if (pattern === undefined) return true
  const parts = pattern.split("*")
  const [first = "", last = ""] = [parts[0], parts.at(-1)]
  if (parts.length === 1) return pattern === text
  if (!text.startsWith(first) || !text.slice(first.length).endsWith(last)) return false
  const end = text.length - last.length
  let from = first.length
  for (const part of parts.slice(1, -1)) {
    const at = text.indexOf(part, from)
    if (at < 0 || at + part.length > end) return false
    from = at + part.length
  }
  return true
}

/** What cannot be compared counts as over: a rule about money is not passed by a text. */
function isOver(input: unknown, { path, over }: { readonly path: string; readonly over: number }): boolean {
  let value: unknown = input
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return false
    value = (value as Record<string, unknown>)[key]
  }
  return !(typeof value === "number" && value <= over)
}
