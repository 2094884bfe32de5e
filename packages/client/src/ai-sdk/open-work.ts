import type { AgentState } from "../live/agent-state.ts"
import type { Followed } from "./reply.ts"

/** Work that is under way. `key` is the same for the same work. */
export interface OpenWork {
  readonly key: string
  readonly followed: Followed
}

/** The run under way, or the first message that waits for one; undefined when nothing is, or a person is waited for. */
export function openWork({ timeline }: AgentState): OpenWork | undefined {
  const { run, pending, approvals, items } = timeline
  if (run?.status === "running") return { key: run.id, followed: { run: run.id } }
  if (run?.status === "suspended") {
    const waits = Object.keys(approvals).length > 0
    return waits ? undefined : { key: run.id, followed: { run: run.id } }
  }
  const first = pending[0]
  const item = items.find((candidate) => candidate.kind === "message" && candidate.key === first)
  if (first === undefined || item?.kind !== "message" || item.row.kind !== "message") return undefined
  return { key: first, followed: { message: first } }
}

/** The run that waits for a person: a page that comes back shows it. */
export function waitingRun({ timeline }: AgentState): Followed | undefined {
  return timeline.run?.status === "suspended" ? { run: timeline.run.id } : undefined
}
