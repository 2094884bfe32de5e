import { SUMMARY_KEY, isPast, isRunAfter, summaryOf } from "@rouse/protocol"
import type { Json, SummaryRow } from "@rouse/protocol"
import type { LiveRows } from "./rows.ts"

/** What finished runs may leave as live rows before older ones become a digest. */
export interface Pile {
  readonly runs: number
  /** Of all of them together: runs with many tool calls have many. */
  readonly rows: number
}

export const PILE_MAX: Pile = { runs: 20, rows: 600 }
/** What then stays of it: the newest runs. */
const KEPT_SHARE = 0.35
/** Of the model's context window: what a conversation may fill before it is summarised. */
const WINDOW_SHARE = 0.6
/** Of a model that is not in the table. */
const WINDOW_TOKENS = 128_000
/** Longer prompts are slow and dear also where the window is larger. */
const TOKENS_MAX = 120_000

/** Context windows in tokens, by how a model's name begins, after its provider's. Longest first. */
const WINDOWS: readonly (readonly [RegExp, number])[] = [
  [/^claude/, 200_000],
  [/^gemini/, 1_000_000],
  [/^gpt-5/, 272_000],
  [/^gpt-4\.1/, 1_000_000],
  [/^o[0-9]/, 200_000],
]

const COUNTED = ["run", "step", "text", "reasoning", "tool_call", "message", "approval", "child", "attachment"] as const
const OF_RUNS = ["step", "text", "reasoning", "tool_call", "attachment"] as const

/** Tokens at which a conversation with this model is summarised. @param name As the step row says: `anthropic/claude-…`. */
export function tokensMaxOf(name: string): number {
  const model = name.slice(name.lastIndexOf("/") + 1)
  const window = WINDOWS.find(([pattern]) => pattern.test(model))?.[1] ?? WINDOW_TOKENS
  return Math.min(window * WINDOW_SHARE, TOKENS_MAX)
}

/** Whether runs have left more live rows than they may. */
export function isPiledUp(rows: LiveRows, max: Pile): boolean {
  if (rows.size("run") > max.runs) return true
  let count = 0
  for (const collection of COUNTED) count += rows.size(collection)
  return count > max.rows
}

/** What stays when the rest becomes a digest. */
export function keptOf(max: Pile): Pile {
  return { runs: Math.floor(max.runs * KEPT_SHARE), rows: Math.floor(max.rows * KEPT_SHARE) }
}

/** What the newest step says the conversation holds now, in tokens; 0 when none says so since it was last summarised. */
export function tokensNow(rows: LiveRows): number {
  const after = summaryOf(rows.get("context", SUMMARY_KEY))?.after ?? ""
  let tokens = 0
  for (const { id, usage, purpose } of rows.values("step")) {
    if (usage !== undefined && purpose === undefined) tokens = id > after ? usage.inputTokens + usage.outputTokens : 0
  }
  return tokens
}

/**
 * The last run that a summary may cover so that no more than `kept` stays; undefined when there is none. The run under way always
 * stays.
 */
export function watermark(rows: LiveRows, current: string, kept: Pile): string | undefined {
  const counts = new Map<string, number>()
  for (const collection of OF_RUNS) {
    for (const { run } of rows.values(collection)) if (run !== undefined) counts.set(run, (counts.get(run) ?? 0) + 1)
  }
  for (const { run } of rows.values("message")) if (run !== undefined) counts.set(run, (counts.get(run) ?? 0) + 1)
  let [runs, count] = [1, (counts.get(current) ?? 0) + 1]
  for (const run of rows.keys("run").toReversed()) {
    if (run === current) continue
    runs += 1
    count += (counts.get(run) ?? 0) + 1
    if (runs > kept.runs || count > kept.rows) return run
  }
  return undefined
}

/** The row of a summary, but for its text. */
export function summaryRow(
  rows: LiveRows,
  through: string,
  summary: Pick<SummaryRow, "text" | "by" | "why" | "at">,
): SummaryRow {
  const before = rows.list("run").find((run) => isRunAfter(run.id, through))?.startedAt ?? summary.at
  return { kind: "summary", through, before, after: rows.keys("step").at(-1) ?? "", ...summary }
}

/** Takes what a summary covers out of the live rows, as the control plane does in its commit. */
export function forgetPast(rows: LiveRows, summary: SummaryRow): void {
  for (const collection of [...COUNTED, "context"] as const) {
    for (const key of rows.keys(collection)) {
      const value = rows.get(collection, key) as unknown as Json
      if (isPast(collection, key, value, summary)) rows.delete(collection, key)
    }
  }
}
