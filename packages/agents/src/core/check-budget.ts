import type { Budget } from "@rouse/protocol"

const BOUNDS: ReadonlySet<string> = new Set<keyof Budget>([
  "usd",
  "tokens",
  "steps",
  "toolCalls",
  "wallMs",
  "children",
  "depth",
  "wakesPerMinute",
])

/** Checks a budget that an author wrote. `fail` is told the field and the rule, and throws. */
export function checkBudget(budget: Budget, fail: (field: string, rule: string) => never): void {
  if (typeof budget !== "object" || budget === null) fail("budget", "must be an object, such as { usd: 2 }")
  for (const [name, value] of Object.entries(budget) as [string, unknown][]) {
    const field = `budget.${name}`
    if (name === "warnAt") {
      if (typeof value !== "number" || !(value > 0 && value <= 1)) fail(field, "must be above 0 and at most 1")
    } else if (!BOUNDS.has(name)) fail(field, `is not a bound; there are ${[...BOUNDS].join(", ")} and warnAt`)
    else if (typeof value !== "number" || !Number.isFinite(value) || value < 0) fail(field, "must be 0 or more")
    else if (name !== "usd" && !Number.isInteger(value)) fail(field, "must be a whole number")
  }
}
