import type { ReactNode } from "react"
import { cn } from "./class-names.ts"

/** The mark: a sun that rises over the line of a log. */
export function Mark({ className }: { readonly className?: string }): ReactNode {
  return (
    <svg viewBox="0 0 24 24" aria-hidden className={cn("size-6", className)} fill="none">
      <path d="M6 14.5a6 6 0 0 1 12 0z" fill="var(--accent)" />
      <path d="M3 18.25h18" stroke="currentColor" strokeWidth="2.25" strokeLinecap="round" />
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
