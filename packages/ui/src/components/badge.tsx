import type { ReactNode } from "react"
import { cn } from "./class-names.ts"

const TONES = {
  plain: "border-line text-ink-2",
  accent: "border-transparent bg-accent-soft text-accent",
  attention: "border-attention-line bg-attention-soft text-attention",
  danger: "border-danger-line bg-danger-soft text-danger",
} as const

export type BadgeTone = keyof typeof TONES

/** One word in a frame. */
export function Badge(props: {
  readonly tone?: BadgeTone
  readonly title?: string
  readonly className?: string
  readonly children: ReactNode
}): ReactNode {
  return (
    <span
      title={props.title}
      className={cn(
        "inline-flex h-4.5 shrink-0 items-center gap-1 rounded border px-1.5 text-2xs font-medium whitespace-nowrap",
        TONES[props.tone ?? "plain"],
        props.className,
      )}
    >
      {props.children}
    </span>
  )
}
