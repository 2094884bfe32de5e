import { usageOf } from "@rouse/client"
import type { Timeline } from "@rouse/client"
import type { EntitySummary, EntityUrl } from "@rouse/protocol"

/** What came of the agents of a demo. */
export interface DebateSummary {
  readonly agents: number
  readonly messages: number
  readonly steps: number
  readonly toolCalls: number
  readonly inputTokens: number
  readonly outputTokens: number
}

/** Whether nothing runs or waits any more: every agent rests, and no inbox holds a message. */
export function isOver(entities: readonly EntitySummary[]): boolean {
  return entities.length > 0 && entities.every(({ status, pending }) => RESTING.has(status) && pending === 0)
}

const RESTING: ReadonlySet<string> = new Set(["idle", "stopped", "dead", "paused"])

/**
 * Why the debate did not end well, or undefined when it did: the one who leads it completed its last run, and nobody
 * died.
 */
export function problemOfDebate(
  leader: EntityUrl,
  entities: readonly EntitySummary[],
  timelines: ReadonlyMap<EntityUrl, Timeline>,
): string | undefined {
  const dead = entities.find(({ status }) => status === "dead")
  if (dead !== undefined) return `${dead.url} was dead-lettered${dead.reason === undefined ? "" : `: ${dead.reason}`}`
  const run = timelines.get(leader)?.run
  if (run?.status === "completed") return undefined
  const ending = run === undefined ? "never ran" : `ended ${run.status}`
  return `${leader} ${ending}${run?.error === undefined ? "" : `: ${run.error.message}`}`
}

/** Counts over all agents. */
export function summaryOf(timelines: ReadonlyMap<EntityUrl, Timeline>): DebateSummary {
  const all = [...timelines.values()]
  const items = all.flatMap((timeline) => timeline.items)
  const steps = items.flatMap((item) => (item.kind === "step" ? [item] : []))
  const usages = all.map((timeline) => usageOf(timeline))
  return {
    agents: all.length,
    messages: items.filter((item) => item.kind === "message").length,
    steps: steps.length,
    toolCalls: steps.flatMap((step) => step.parts).filter((part) => part.kind === "tool").length,
    inputTokens: usages.reduce((sum, usage) => sum + usage.inputTokens, 0),
    outputTokens: usages.reduce((sum, usage) => sum + usage.outputTokens, 0),
  }
}
