import type { Effect, ToolCallRow } from "@rouse/protocol"
import type { EffectEntry } from "./effect-book.ts"
import type { EntityLog, History, Violation } from "./history.ts"
import { groupBy, valuesOf } from "./replay.ts"
import { TOOLS } from "./work.ts"

/** A call of one of the program's tools: what the log says of it, and what the world does. */
export interface JudgedCall {
  readonly url: string
  readonly row: ToolCallRow
  /** Its class as it is judged: what the tool is, whatever the log says. */
  readonly effect: Effect
  readonly entry: EffectEntry | undefined
}

/** P2: what tools did to the world, by the outside ledger, against what the logs say. */
export function judgeEffects(history: History): readonly Violation[] {
  const calls = callsOf(history)
  return [
    ...calls.flatMap((call) => judgeCall(call, history)),
    ...judgeKeys(calls),
    ...judgeIntents(history, calls),
    ...history.logs.flatMap(judgeStarts),
  ]
}

export function callsOf({ logs, effects }: History): readonly JudgedCall[] {
  const entries = new Map(effects.map((entry) => [entry.key, entry]))
  return logs.flatMap(({ url, ...log }) =>
    [...valuesOf({ url, ...log }, "tool_call").values()].flatMap((values): JudgedCall[] => {
      const row = values.at(-1)
      const effect = row ? TOOLS[row.name]?.effect : undefined
      if (!row || effect === undefined) return []
      return [{ url, row, effect, entry: entries.get(row.idempotencyKey) }]
    }),
  )
}

/** How a call may end when people interrupt and deny. */
const LOOSE_ENDS: ReadonlySet<ToolCallRow["status"]> = new Set(["done", "unknown", "denied", "cancelled"])

/** Workers that may be lost over one call before it is given up: docs/workers.md. */
const WORKERS_LOST_MAX = 5

/** Whether that many workers were lost over a call, and the model is told so. */
function isGivenUp({ backend, effect, status, attempts, error }: ToolCallRow): boolean {
  if (backend !== "worker" || attempts < WORKERS_LOST_MAX) return false
  if (effect === "reconcilable") return status === "unknown"
  return status === "failed" && error?.endsWith(`lost, ${WORKERS_LOST_MAX} times`) === true
}

function judgeCall({ url, row, effect, entry }: JudgedCall, { loose, raced, forked }: History): readonly Violation[] {
  const executions = entry?.executions ?? 0
  const why = row.error === undefined ? "" : ` (${row.error})`
  const said = `${row.status}${why}${row.resolved ? `, resolved ${row.resolved}` : ""}, ${executions} executions, asked ${entry?.asked ?? 0} times`
  const broken = (what: string): Violation => ({
    rule: "P2",
    where: `${url} ${row.id} ${row.name} (${effect})`,
    what: `${what}: ${said}`,
  })
  const faults: Violation[] = []
  if (row.status === "done" && executions === 0) faults.push(broken("has a result and never ran"))
  const mayEnd = (loose ? LOOSE_ENDS.has(row.status) : row.status === "done") || isGivenUp(row)
  if (!mayEnd && !(effect === "once" && row.status === "unknown")) faults.push(broken("has no result"))
  if (effect === "once" && executions > 1) faults.push(broken("ran again"))
  if (effect === "reconcilable" && (entry?.effects ?? 0) > 1 && !raced?.has(row.idempotencyKey))
    faults.push(broken("had its effect again"))
  const isLeft = forked === true && row.status === "unknown"
  if (effect === "reconcilable" && row.resolved !== undefined && row.attempts <= 1 && !entry?.asked && !isLeft) {
    faults.push(broken("was resolved without asking"))
  }
  if ((effect === "pure" || effect === "idempotent") && (entry?.effects ?? 0) > 1)
    faults.push(broken("had its effect again under its key"))
  return faults
}

/** One piece of work has one key over all its attempts, and no two calls share one. */
function judgeKeys(calls: readonly JudgedCall[]): readonly Violation[] {
  const byKey = groupBy(calls, ({ row }) => row.idempotencyKey)
  const byRef = groupBy(calls, ({ row }) => (row.input as { readonly ref?: string }).ref ?? "")
  const twice = (what: string, groups: ReadonlyMap<string, readonly JudgedCall[]>): Violation[] =>
    [...groups]
      .filter(([, group]) => group.length > 1)
      .map(([name, group]) => ({
        rule: "P2",
        where: name,
        what: `${what} of ${group.map(({ row }) => row.id).join(" and ")}`,
      }))
  return [...twice("is the idempotency key", byKey), ...twice("is the work", byRef)]
}

/** Nothing happens to the world that no log intended. */
function judgeIntents({ effects }: History, calls: readonly JudgedCall[]): readonly Violation[] {
  const byKey = new Map(calls.map((call) => [call.row.idempotencyKey, call]))
  return effects.flatMap((entry): Violation[] => {
    const call = byKey.get(entry.key)
    const ref = (call?.row.input as { readonly ref?: string } | undefined)?.ref
    if (call !== undefined && ref === entry.ref && call.row.name === entry.tool) return []
    return [
      {
        rule: "P2",
        where: entry.key,
        what: `${entry.tool} ran for ${entry.ref}; the logs hold ${call === undefined ? "no such call" : `${call.row.name} for ${ref}`}`,
      },
    ]
  })
}

/** A settled call stays as it is, and one of class `once` begins once. */
function judgeStarts(log: EntityLog): readonly Violation[] {
  return [...valuesOf(log, "tool_call")].flatMap(([key, values]) => {
    const broken = (what: string): Violation => ({ rule: "P2", where: `${log.url} ${key}`, what })
    const ended = values.filter((row) => row !== null && row.endedAt !== undefined).length
    const row = values.at(-1)
    const faults =
      ended === 1 ? [] : [broken(`has ${ended} ends: ${values.map((value) => value?.status ?? "deleted").join(", ")}`)]
    // Of a worker's it counts claims, also those that were given back before they began: the ledger says what ran.
    if (row && TOOLS[row.name]?.effect === "once" && !TOOLS[row.name]?.worker && row.attempts > 1)
      faults.push(broken(`is of class once and began ${row.attempts} times`))
    return faults
  })
}
