import type { ReactNode } from "react"

/** What is said where there is nothing: why, and what to do next. */
export function EmptyState(props: {
  readonly icon?: ReactNode
  readonly title: string
  readonly children?: ReactNode
  readonly action?: ReactNode
}): ReactNode {
  return (
    <div className="flex flex-col items-center justify-center gap-1 px-6 py-12 text-center">
      {props.icon && <div className="mb-2 text-ink-3">{props.icon}</div>}
      <h2 className="text-sm font-medium text-ink">{props.title}</h2>
      {props.children && <div className="max-w-[44ch] text-sm text-balance text-ink-2">{props.children}</div>}
      {props.action && <div className="mt-3 flex gap-2">{props.action}</div>}
    </div>
  )
}
