import type { EntityStatus } from "@rouse/protocol"
import type { ReactNode } from "react"
import { STATUSES } from "../core/status.ts"
import { cn } from "./class-names.ts"

/** A status as a shape: told apart without its colour. */
export function StatusGlyph({
  status,
  className,
}: {
  readonly status: EntityStatus
  readonly className?: string
}): ReactNode {
  return (
    <svg
      viewBox="0 0 14 14"
      data-glyph
      aria-hidden
      className={cn("size-3.5 shrink-0 overflow-visible", TONES[status], className)}
    >
      {SHAPES[status]}
    </svg>
  )
}

/** A status as a shape and a word. */
export function StatusLabel({ status }: { readonly status: EntityStatus }): ReactNode {
  return (
    <span className={cn("inline-flex items-center gap-1.5 text-sm font-medium", TONES[status])}>
      <StatusGlyph status={status} />
      {STATUSES[status].label}
    </span>
  )
}

const TONES: Readonly<Record<EntityStatus, string>> = {
  running: "text-accent",
  queued: "text-accent",
  suspended: "text-attention",
  idle: "text-ink-3",
  paused: "text-ink-2",
  dead: "text-danger",
  stopped: "text-ink-3",
}

const ring = { fill: "none", stroke: "currentColor", strokeWidth: 1.6 } as const

const SHAPES: Readonly<Record<EntityStatus, ReactNode>> = {
  running: (
    <>
      <circle cx="7" cy="7" r="4" fill="currentColor" opacity="0.35" className="origin-center animate-breathe" />
      <circle cx="7" cy="7" r="4" fill="currentColor" />
    </>
  ),
  queued: <circle cx="7" cy="7" r="4.6" {...ring} strokeDasharray="2.4 2.4" />,
  suspended: (
    <>
      <circle cx="7" cy="7" r="4.6" {...ring} />
      <path d="M7 2.4a4.6 4.6 0 0 1 0 9.2z" fill="currentColor" />
    </>
  ),
  idle: <circle cx="7" cy="7" r="3.6" {...ring} />,
  paused: <path d="M4.75 3.5v7M9.25 3.5v7" {...ring} strokeWidth="2" strokeLinecap="round" />,
  dead: <path d="M3.5 3.5l7 7M10.5 3.5l-7 7" {...ring} strokeWidth="2" strokeLinecap="round" />,
  stopped: <rect x="3.5" y="3.5" width="7" height="7" rx="1.5" fill="currentColor" />,
}
