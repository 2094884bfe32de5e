import { conversation } from "@rouse/agents/runtime"
import type { StepRow, ToolCallRow } from "@rouse/protocol"
import type { EntityLog, History, Violation } from "./history.ts"
import { refusals } from "./provider-rules.ts"
import { finalOf, misfits, replay } from "./replay.ts"
import { TOOLS } from "./work.ts"

/** Collections that a conversation is made of: a prefix that ends with another event is no new case. */
const SHOWN: ReadonlySet<string> = new Set(["message", "step", "text", "reasoning", "tool_call"])
/** Faults shown of one log: one cause has many. */
const FAULTS_MAX = 3

/** P3: whatever prefix of a log survives, providers accept the conversation that it projects to. */
export function judgeTranscripts({ logs, loose = false }: History): readonly Violation[] {
  return logs.flatMap((log) => [
    ...judgePrefixes(log),
    ...judgeSettled(log, loose),
    ...misfits(log).slice(0, FAULTS_MAX),
  ])
}

/** How many prefixes of a history are cases of their own. */
export function countPrefixes({ logs }: History): number {
  return logs.reduce((sum, log) => sum + 1 + log.events.filter(({ type }) => SHOWN.has(type)).length, 0)
}

function judgePrefixes(log: EntityLog): readonly Violation[] {
  const violations: Violation[] = []
  for (const { event, rows, at } of replay(log)) {
    if (!SHOWN.has(event.type)) continue
    const faults = refusals(conversation(rows))
    if (faults.length > 0)
      violations.push({ rule: "P3", where: `${log.url} up to event ${at}`, what: faults.join("; ") })
    if (violations.length === FAULTS_MAX) break
  }
  return violations
}

/** At the end every step is done, and the model was told what is not known. */
function judgeSettled(log: EntityLog, loose: boolean): readonly Violation[] {
  const { rows } = finalOf(log)
  // One that was stopped keeps the step that was under way.
  const isOpen = ({ status }: StepRow): boolean => (loose ? status === "running" : status !== "done")
  const open = log.status === "stopped" ? [] : rows.list("step").filter(isOpen)
  const told = conversation(rows).flatMap((turn) => (turn.role === "tool" ? turn.results : []))
  const unknown = rows
    .list("tool_call")
    .filter(({ name, status }: ToolCallRow) => status === "unknown" && TOOLS[name] !== undefined)
  const words = told.filter(({ outcome }) => outcome.kind === "error" && /outcome .*unknown/i.test(outcome.text)).length
  return [
    ...open.map(({ id, status }): Violation => ({
      rule: "P3",
      where: `${log.url} ${id}`,
      what: `the step is ${status} at the end`,
    })),
    ...(words === unknown.length
      ? []
      : [
          {
            rule: "P2" as const,
            where: log.url,
            what: `${unknown.length} outcomes are unknown, and the model was told of ${words}`,
          },
        ]),
  ]
}
