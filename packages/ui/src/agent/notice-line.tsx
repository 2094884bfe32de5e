import type { ErrorRow, SignalRow, WakeRow } from "@rouse/protocol"
import { CirclePause, CirclePlay, CircleX, Hand, HeartCrack, RotateCcw, Square, Zap } from "lucide-react"
import type { ReactNode } from "react"
import { cn } from "../components/class-names.ts"
import { Ago } from "../components/times.tsx"

/** One line about something that happened. */
export function Line(props: {
  readonly icon: ReactNode
  readonly at?: string | undefined
  readonly tone?: "plain" | "attention" | "danger"
  readonly children: ReactNode
}): ReactNode {
  const color = { plain: "text-ink-2", attention: "text-attention", danger: "text-danger" }[props.tone ?? "plain"]
  return (
    <div className={cn("flex min-h-6 items-center gap-2 text-sm", color)}>
      <span aria-hidden className="shrink-0">
        {props.icon}
      </span>
      <span className="flex min-w-0 flex-wrap items-center gap-x-2 break-words">{props.children}</span>
      {props.at !== undefined && <Ago at={props.at} className="ml-auto shrink-0 text-xs text-ink-3" />}
    </div>
  )
}

const SIGNALS: Readonly<Record<string, { readonly icon: ReactNode; readonly text: string }>> = {
  interrupt: { icon: <Hand className="size-3.5" />, text: "interrupted it" },
  pause: { icon: <CirclePause className="size-3.5" />, text: "paused it" },
  resume: { icon: <CirclePlay className="size-3.5" />, text: "resumed it" },
  kill: { icon: <Square className="size-3.5" />, text: "stopped it" },
}

export function SignalNotice({ row }: { readonly row: SignalRow }): ReactNode {
  const known = SIGNALS[row.name]
  return (
    <Line icon={known?.icon ?? <Zap className="size-3.5" />} at={row.at}>
      {row.from.id} {known?.text ?? `sent the signal ${row.name}`}
    </Line>
  )
}

/** A failed attempt: what went wrong, and whether it is tried again. The last one stands out. */
export function ErrorNotice({ row, retried }: { readonly row: ErrorRow; readonly retried: boolean }): ReactNode {
  return (
    <details className={cn("group", !retried && "rounded-lg border border-danger-line bg-danger-soft px-3.5 py-2")}>
      <summary className="rounded">
        <Line
          icon={retried ? <RotateCcw className="size-3.5" /> : <CircleX className="size-3.5" />}
          at={row.at}
          tone={retried ? "attention" : "danger"}
        >
          <span className="font-medium">
            Attempt {row.attempt} failed{retried && ", tried again"}
          </span>
          <span className={cn("min-w-0 break-words", retried ? "text-ink-2" : "text-ink")}>{row.message}</span>
        </Line>
      </summary>
      <p className="mt-1 pl-5.5 font-mono text-xs text-ink-2">{row.code}</p>
      {row.stack !== undefined && (
        <pre className="mt-1 max-h-64 overflow-auto pl-5.5 font-mono text-xs leading-5 text-ink-2">{row.stack}</pre>
      )}
    </details>
  )
}

export function WakeNotice({ row }: { readonly row: WakeRow }): ReactNode {
  const lost = row.outcome === "lost"
  return (
    <Line icon={<HeartCrack className="size-3.5" />} at={row.endedAt ?? row.at} tone={lost ? "attention" : "danger"}>
      {lost
        ? `Attempt ${row.attempt} was lost with its handler; what it finished is kept`
        : `Dead-lettered after attempt ${row.attempt}`}
      {row.error !== undefined && <span className="text-ink-2">{row.error}</span>}
    </Line>
  )
}
