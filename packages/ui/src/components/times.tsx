import type { ReactNode } from "react"
import { ageInWords, elapsed, fullTime, relativeTime, timeUntil } from "../core/time.ts"
import { useClock } from "../data/clock.ts"

/** How long ago, kept true: in a column, or in the words of a sentence. The full time is its title. */
export function Ago({
  at,
  words,
  className,
}: {
  readonly at: string
  readonly words?: boolean
  readonly className?: string
}): ReactNode {
  const atMs = Date.parse(at)
  const text = useClock((nowMs) => (words ? ageInWords(atMs, nowMs) : relativeTime(atMs, nowMs)))
  return (
    <time dateTime={at} title={fullTime(atMs)} className={className}>
      {text}
    </time>
  )
}

/** How long something has been going on, counting. */
export function Elapsed({ since }: { readonly since: string }): ReactNode {
  const sinceMs = Date.parse(since)
  return <span>{useClock((nowMs) => elapsed(nowMs - sinceMs))}</span>
}

/** How long until, kept true. The full time is its title. */
export function Until({ at, className }: { readonly at: string; readonly className?: string }): ReactNode {
  const atMs = Date.parse(at)
  return (
    <time dateTime={at} title={fullTime(atMs)} className={className}>
      {useClock((nowMs) => timeUntil(atMs, nowMs))}
    </time>
  )
}
