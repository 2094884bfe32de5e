import type { ApprovalRow } from "@rouse/protocol"
import type { ReactNode } from "react"
import { elapsed, fullTime } from "../core/time.ts"
import { useClock } from "../data/clock.ts"

/** Who may decide, how many must, until when, and who has: what matters of it. */
export function ApprovalFacts({ approval }: { readonly approval: ApprovalRow }): ReactNode {
  const { quorum = 1, from, deadline, rule, votes = [], escalatedAt } = approval
  const said = votes.length > 0 ? `: ${votes.map(({ by }) => by.id).join(", ")}` : ""
  const parts: ReactNode[] = []
  if (quorum > 1) parts.push(`${votes.length} of ${quorum} have allowed it${said}`)
  if (from) parts.push(`${escalatedAt === undefined ? "for" : "escalated to"} ${from.join(", ")}`)
  if (rule !== undefined) parts.push(`by the rule ${rule}`)
  if (deadline !== undefined) parts.push(<TimeLeft key="deadline" until={deadline} />)
  if (parts.length === 0) return null
  return (
    <p className="mt-0.5 flex flex-wrap gap-x-3 text-xs text-ink-2">
      {parts.map((part, index) => (
        // oxlint-disable-next-line react/no-array-index-key
        <span key={index}>{part}</span>
      ))}
    </p>
  )
}

function TimeLeft({ until }: { readonly until: string }): ReactNode {
  const atMs = Date.parse(until)
  const text = useClock((nowMs) => (atMs > nowMs ? `${elapsed(atMs - nowMs)} left` : "the time is over"))
  return (
    <time dateTime={until} title={fullTime(atMs)}>
      {text}
    </time>
  )
}
