import { ChevronDown } from "lucide-react"
import { useId } from "react"
import type { ComponentProps, ReactNode } from "react"
import { cn } from "./class-names.ts"

const BOX =
  "w-full rounded-md border border-field bg-surface text-sm text-ink placeholder:text-ink-3 transition-colors hover:border-ink-3 focus-visible:border-accent focus-visible:outline-1 focus-visible:outline-offset-0 aria-invalid:border-danger disabled:bg-sunken disabled:text-ink-3"

/** A label, a control, and what is wrong with it. */
export function Field(props: {
  readonly label: string
  readonly hint?: string | undefined
  readonly error?: string | undefined
  readonly optional?: boolean
  readonly children: (ids: {
    readonly id: string
    readonly describedBy: string
    readonly invalid: boolean
  }) => ReactNode
}): ReactNode {
  const id = useId()
  const described = `${id}-about`
  const about = props.error ?? props.hint
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="flex items-baseline gap-1.5 text-xs font-medium text-ink-2">
        {props.label}
        {props.optional && <span className="font-normal text-ink-3">optional</span>}
      </label>
      {props.children({ id, describedBy: described, invalid: props.error !== undefined })}
      <p id={described} className={cn("min-h-4 text-xs", props.error ? "text-danger" : "text-ink-3")}>
        {about}
      </p>
    </div>
  )
}

export function Input({ className, ...rest }: ComponentProps<"input">): ReactNode {
  return <input className={cn(BOX, "control px-2.5", className)} autoComplete="off" spellCheck={false} {...rest} />
}

export function Textarea({ className, ...rest }: ComponentProps<"textarea">): ReactNode {
  return <textarea className={cn(BOX, "px-2.5 py-1.5", className)} {...rest} />
}

/** The platform's own select: right under a thumb, a screen reader and a keyboard. */
export function Select({ className, children, ...rest }: ComponentProps<"select">): ReactNode {
  return (
    <span className={cn("relative inline-flex", className)}>
      <select className={cn(BOX, "control appearance-none truncate pr-7 pl-2.5")} {...rest}>
        {children}
      </select>
      <ChevronDown
        aria-hidden
        className="pointer-events-none absolute top-1/2 right-2 size-3.5 -translate-y-1/2 text-ink-3"
      />
    </span>
  )
}
