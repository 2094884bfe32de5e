import type { RunEndItem } from "@rouse/client"
import type { RunOutcome, Usage } from "@rouse/protocol"
import { Check, CircleX, Hand, Square } from "lucide-react"
import type { ReactNode } from "react"
import { JsonView } from "../components/json-view.tsx"
import { cn } from "../components/class-names.ts"
import { readable } from "../core/json.ts"
import { compact, grouped } from "../core/number.ts"
import { between, duration, fullTime } from "../core/time.ts"
import { Markdown } from "./markdown.tsx"

const OUTCOMES: Readonly<
  Record<RunOutcome, { readonly label: string; readonly icon: ReactNode; readonly tone: string }>
> = {
  completed: { label: "Completed", icon: <Check className="size-3.5" />, tone: "text-ink-3" },
  failed: { label: "Failed", icon: <CircleX className="size-3.5" />, tone: "text-danger" },
  interrupted: { label: "Interrupted", icon: <Hand className="size-3.5" />, tone: "text-ink-2" },
  stopped: { label: "Stopped", icon: <Square className="size-3.5" />, tone: "text-ink-2" },
}

/** The foot of a run: how it ended, how long it took, and what it used. */
export function RunEnd({ item }: { readonly item: RunEndItem }): ReactNode {
  const { row, outcome } = item
  const { label, icon, tone } = OUTCOMES[outcome]
  const took = between(row.startedAt, row.endedAt)
  return (
    <div className="flex flex-col gap-2">
      {item.reply !== undefined && <Reply item={item} />}
      {row.error && (
        <p className="rounded-lg border border-danger-line bg-danger-soft px-3.5 py-2 text-danger">
          {row.error.message} <code className="font-mono text-xs">{row.error.code}</code>
        </p>
      )}
      <p
        className="flex items-center gap-3 text-xs text-ink-3"
        title={row.endedAt && fullTime(Date.parse(row.endedAt))}
      >
        <span className={cn("inline-flex items-center gap-1", tone)}>
          {icon}
          {label}
        </span>
        {took !== undefined && <span>{duration(took)}</span>}
        {row.usage && row.usage.inputTokens + row.usage.outputTokens > 0 && <Tokens usage={row.usage} />}
        <span aria-hidden className="h-px flex-1 bg-line" />
      </p>
    </div>
  )
}

function Reply({ item }: { readonly item: RunEndItem }): ReactNode {
  const reply = readable(item.reply)
  if (!reply) return null
  return (
    <div className="rounded-lg border border-line px-3.5 py-2.5">
      <p className="mb-1 text-xs text-ink-3">Reply</p>
      {"text" in reply ? <Markdown text={reply.text} streaming={false} /> : <JsonView value={reply.json} />}
    </div>
  )
}

function Tokens({ usage }: { readonly usage: Usage }): ReactNode {
  const title = [
    `${grouped(usage.inputTokens)} tokens read`,
    usage.cachedInputTokens ? `${grouped(usage.cachedInputTokens)} of them from the cache` : undefined,
    `${grouped(usage.outputTokens)} tokens written`,
    usage.reasoningTokens ? `${grouped(usage.reasoningTokens)} of them reasoning` : undefined,
  ]
  return (
    <span title={title.filter(Boolean).join("\n")}>
      {compact(usage.inputTokens)} in, {compact(usage.outputTokens)} out
    </span>
  )
}
