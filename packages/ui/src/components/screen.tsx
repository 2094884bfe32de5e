import { useEffect } from "react"
import type { ReactNode } from "react"
import { sentenceOf } from "../core/errors.ts"
import { Button } from "./button.tsx"
import { cn } from "./class-names.ts"
import { EmptyState } from "./empty-state.tsx"
import { Skeleton } from "./skeleton.tsx"

/** A screen beside the agents: a title that stays, what narrows it, and what it shows in the width that reads best. */
export function Screen(props: {
  readonly title: string
  readonly count?: ReactNode
  readonly actions?: ReactNode
  readonly wide?: boolean
  readonly children: ReactNode
}): ReactNode {
  useTitle(props.title)
  const width = props.wide ? "max-w-6xl" : "max-w-4xl"
  return (
    <div className="flex h-full flex-col bg-surface">
      <header className="shrink-0 border-b border-line">
        <div className={cn("mx-auto flex min-h-12 flex-wrap items-center gap-x-2 gap-y-1.5 px-4 py-2 sm:px-8", width)}>
          <h1 className="text-base font-semibold tracking-tight">{props.title}</h1>
          <span className="min-w-4 text-sm text-ink-3">{props.count}</span>
          <div className="ml-auto flex flex-wrap items-center gap-1.5">{props.actions}</div>
        </div>
      </header>
      <div
        role="region"
        aria-label={props.title}
        tabIndex={0}
        className="min-h-0 flex-1 overflow-auto overscroll-contain -outline-offset-2"
      >
        <div className={cn("mx-auto px-4 pb-16 sm:px-8", width)}>{props.children}</div>
      </div>
    </div>
  )
}

/** What is told, or that it is being asked for, or why it is not there. */
export function Told<T>(props: {
  readonly of: { readonly value?: T; readonly error?: unknown; readonly reload: () => void }
  /** What could not be read, as a sentence: `The schedules could not be read`. */
  readonly failed: string
  readonly children: (value: T) => ReactNode
}): ReactNode {
  const { value, error, reload } = props.of
  if (value !== undefined) {
    return (
      <>
        {error !== undefined && <Stale error={error} />}
        {props.children(value)}
      </>
    )
  }
  if (error === undefined) return <Rows />
  return (
    <EmptyState title={props.failed} action={<Button onClick={reload}>Try again</Button>}>
      {sentenceOf(error)}
    </EmptyState>
  )
}

function Stale({ error }: { readonly error: unknown }): ReactNode {
  return (
    <p role="alert" className="mt-3 rounded-md bg-attention-soft px-3 py-1.5 text-xs text-attention">
      What you see is what was last known. {sentenceOf(error)}
    </p>
  )
}

function Rows(): ReactNode {
  return (
    <div aria-busy aria-label="Loading" className="flex flex-col">
      {[64, 48, 72, 40, 56].map((width, row) => (
        <div key={width} style={{ opacity: 1 - row / 6 }} className="flex flex-col gap-2 border-b border-line py-4">
          <span style={{ width: `${width / 2}%` }}>
            <Skeleton className="w-full" />
          </span>
          <span style={{ width: `${width}%` }}>
            <Skeleton className="w-full" />
          </span>
        </div>
      ))}
    </div>
  )
}

function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Rouse`
    return () => {
      document.title = "Rouse"
    }
  }, [title])
}
