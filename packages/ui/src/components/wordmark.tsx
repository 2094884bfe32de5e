import type { ReactNode } from "react"
import { cn } from "./class-names.ts"

/** The mark: a sun that rises over the line of a log. */
export function Mark({ className }: { readonly className?: string }): ReactNode {
  return (
    <svg viewBox="0 0 24 24" aria-hidden className={cn("size-6", className)} fill="none">
      <path d="M6.75 16.25a5.25 5.25 0 0 1 10.5 0z" fill="var(--accent)" />
      <path
        d="M12 4.5v2.75M4.4 8.4l1.9 1.9M19.6 8.4l-1.9 1.9"
        stroke="var(--accent)"
        strokeWidth="1.9"
        strokeLinecap="round"
      />
      <path d="M3 19.5h18" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />
    </svg>
  )
}

export function Wordmark(): ReactNode {
  return (
    <span className="inline-flex items-center gap-1.5 text-ink">
      <Mark />
      <span className="text-[1.0625rem] leading-none font-semibold tracking-[-0.03em]">rouse</span>
    </span>
  )
}
