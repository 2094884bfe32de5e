import type { Part, StepItem, TextPart } from "@rouse/client"
import { ChevronRight, CircleX, RotateCcw } from "lucide-react"
import type { ReactNode } from "react"
import { cn } from "../components/class-names.ts"
import { Line } from "./notice-line.tsx"
import { Markdown } from "./markdown.tsx"
import { ToolCard } from "./tool-card.tsx"

/** One call of the model, and what came of it: thoughts, text and tool calls in the order they came. */
export function StepView({ step, url }: { readonly step: StepItem; readonly url: string }): ReactNode {
  const { row, parts } = step
  return (
    <div className="flex flex-col gap-2.5">
      {parts.map((part) => (
        <PartView key={part.key} part={part} url={url} over={step.status !== "running"} />
      ))}
      {row?.attempts !== undefined && row.attempts > 1 && (
        <Line icon={<RotateCcw className="size-3.5" />} tone="attention">
          The provider answered at try {row.attempts}
        </Line>
      )}
      {row?.error && (
        <Line icon={<CircleX className="size-3.5" />} tone="danger">
          {row.error.message} <code className="font-mono text-xs">{row.error.code}</code>
        </Line>
      )}
    </div>
  )
}

function PartView({
  part,
  url,
  over,
}: {
  readonly part: Part
  readonly url: string
  readonly over: boolean
}): ReactNode {
  if (part.kind === "tool") return <ToolCard part={part} url={url} over={over} />
  if (part.kind === "reasoning") return <Reasoning part={part} />
  return <Markdown text={part.text} streaming={part.streaming} />
}

/** What the model thought: one line, opened by those who want it. */
function Reasoning({ part }: { readonly part: TextPart }): ReactNode {
  return (
    <details className="group">
      <summary className="flex w-fit items-center gap-1 rounded text-sm text-ink-3 hover:text-ink">
        <ChevronRight aria-hidden className="size-3.5 transition-transform group-open:rotate-90" />
        {part.streaming ? "Thinking" : "Thought"}
        <span className={cn("max-w-[48ch] truncate pl-1 text-xs group-open:hidden")}>
          {part.streaming ? "" : firstWords(part.text)}
        </span>
      </summary>
      <p className="mt-1.5 ml-1.5 border-l border-line pl-3.5 break-words whitespace-pre-wrap text-ink-2">
        {part.text}
      </p>
    </details>
  )
}

const firstWords = (text: string): string => text.slice(0, 120).replaceAll(/\s+/g, " ")
