import { type HandlerCommit, RouseError } from "@rouse/protocol"
import { budget, budgetExtension } from "@rouse/protocol/schemas"
import type { z } from "zod"

/** @throws {RouseError} `INVALID_ARGS` naming the bound that is wrong. */
export function checkBudget(value: unknown): void {
  check(value, budget, "budget")
}

/** Checks what a handler's commit says of budgets: an amount below 0 would be money from nowhere. */
export function checkBudgetParts({ reserve, budgets }: Pick<HandlerCommit, "reserve" | "budgets">): void {
  if (reserve && !(isAmount(reserve.usd) && isAmount(reserve.tokens)))
    throw new RouseError("INVALID_ARGS", "reserve: usd and tokens must be 0 or more")
  budgets?.forEach((decision, i) => check(decision.extend ?? {}, budgetExtension, `budgets[${i}].extend`))
}

function isAmount(value: number): boolean {
  return Number.isFinite(value) && value >= 0
}

function check(value: unknown, schema: z.ZodType, name: string): void {
  const issue = schema.safeParse(value).error?.issues[0]
  if (issue) throw new RouseError("INVALID_ARGS", `${[name, ...issue.path].join(".")}: ${issue.message}`)
}
