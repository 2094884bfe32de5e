import { SUMMARY_KEY, runKey, stepKey, summaryOf } from "@rouse/protocol"
import type { MessageRow, RunRow, StepRow, TextRow, ToolCallRow, Usage } from "@rouse/protocol"
import type { LiveRows } from "./rows.ts"

/** Questions about the run under way, answered from rows alone. */

/** The run that is open; undefined when the last one was closed. */
export function openRun(rows: LiveRows): RunRow | undefined {
  return rows.list("run").findLast((run) => run.status === "running" || run.status === "suspended")
}

/** The key of the run that would be next. */
export function nextRunKey(rows: LiveRows): string {
  const last = rows.keys("run").at(-1) ?? summaryOf(rows.get("context", SUMMARY_KEY))?.through
  return runKey(last === undefined ? 1 : Number(last.slice(1)) + 1)
}

export function stepsOf(rows: LiveRows, run: string): readonly StepRow[] {
  const steps: StepRow[] = []
  for (const step of rows.values("step")) if (step.run === run) steps.push(step)
  return steps
}

/** Key and number of the run's next step, from 1. */
export function nextStep(rows: LiveRows, run: string): Pick<StepRow, "id" | "index"> {
  const index = (stepsOf(rows, run).at(-1)?.index ?? 0) + 1
  return { id: stepKey(run, index), index }
}

/** Tool calls of a step, in the order that the model made them. */
export function callsOf(rows: LiveRows, step: string): readonly ToolCallRow[] {
  const calls: ToolCallRow[] = []
  for (const call of rows.values("tool_call")) if (call.step === step) calls.push(call)
  return calls
}

export function textOf(rows: LiveRows, step: string): string {
  return rows
    .list("text")
    .filter((part: TextRow) => part.step === step)
    .map((part) => part.text)
    .join("")
}

const TERMINAL: ReadonlySet<ToolCallRow["status"]> = new Set(["done", "failed", "denied", "unknown", "cancelled"])

export function isSettled(call: ToolCallRow): boolean {
  return TERMINAL.has(call.status)
}

/** Messages of the run that no step has shown the model yet, oldest first. */
export function unread(rows: LiveRows, run: string): readonly string[] {
  const read = new Set(stepsOf(rows, run).flatMap((step) => step.messages))
  return oldestFirst(rows, (row) => row.status === "taken" && row.run === run)
    .filter(([key, row]) => !read.has(key) && !isAnswerOfCall(rows, row))
    .map(([key]) => key)
}

/** What people decided of a call, or a worker made of it, is told as the call's result, not as a message; more budget is nothing to the model. */
function isAnswerOfCall(rows: LiveRows, row: MessageRow): boolean {
  if (row.kind === "toolResult" || row.kind === "forked") return true
  if (row.kind !== "approval" || typeof row.content !== "object" || row.content === null) return false
  const call = (row.content as { readonly call?: unknown }).call
  if (typeof call !== "string") return false
  return rows.get("tool_call", call) !== undefined || rows.get("approval", call)?.kind === "budget"
}

/** Messages that `select` names, by arrival and then key. */
export function oldestFirst(
  rows: LiveRows,
  select: (row: MessageRow, key: string) => boolean,
): readonly (readonly [string, MessageRow])[] {
  const found: (readonly [string, MessageRow])[] = []
  for (const [key, row] of rows.entries("message")) if (select(row, key)) found.push([key, row])
  return found.sort(([a, x], [b, y]) => compare(x.at, y.at) || compare(a, b))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The sum of what some model calls used. */
export function sumUsage(steps: readonly StepRow[]): Usage {
  const total: Record<Exclude<keyof Usage, "unpriced" | "estimated">, number> = {
    inputTokens: 0,
    outputTokens: 0,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    reasoningTokens: 0,
    usd: 0,
  }
  for (const { usage } of steps) {
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += usage?.[key] ?? 0
  }
  const { inputTokens, outputTokens, ...parts } = total
  const present = Object.entries(parts).filter(([, count]) => count > 0)
  const flags = (["unpriced", "estimated"] as const).filter((flag) => steps.some(({ usage }) => usage?.[flag]))
  return {
    inputTokens,
    outputTokens,
    ...Object.fromEntries(present),
    ...Object.fromEntries(flags.map((flag) => [flag, true as const])),
  }
}
