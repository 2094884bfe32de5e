import type { ComponentProps, ReactNode } from "react"
import { cn } from "./class-names.ts"
import { Tip } from "./tip.tsx"

type Tone = "solid" | "outline" | "ghost" | "danger"

const TONES: Readonly<Record<Tone, string>> = {
  solid: "bg-ink text-canvas hover:bg-ink-2 disabled:bg-line disabled:text-ink-3",
  outline: "bg-surface text-ink border border-line-strong hover:bg-hover disabled:text-ink-3 disabled:hover:bg-surface",
  ghost: "text-ink-2 hover:bg-hover hover:text-ink disabled:text-ink-3 disabled:hover:bg-transparent",
  danger: "bg-danger-soft text-danger border border-danger-line hover:border-danger",
}

const BASE =
  "control inline-flex shrink-0 select-none items-center justify-center gap-1.5 rounded-md text-sm font-medium whitespace-nowrap transition-colors duration-100 disabled:cursor-not-allowed"

export interface ButtonProps extends ComponentProps<"button"> {
  readonly tone?: Tone
}

/** A button with words on it. */
export function Button({ tone = "outline", className, ...rest }: ButtonProps): ReactNode {
  return <button type="button" className={cn(BASE, "px-2.5", TONES[tone], className)} {...rest} />
}

export interface IconButtonProps extends ButtonProps {
  /** What it does: its name for a screen reader and its tooltip. */
  readonly label: string
  readonly keys?: readonly string[]
}

/** A square button with an icon. */
export function IconButton({ label, keys, tone = "ghost", className, ...rest }: IconButtonProps): ReactNode {
  return (
    <Tip label={label} {...(keys ? { keys } : {})}>
      <button
        type="button"
        aria-label={label}
        className={cn(BASE, "aspect-square", TONES[tone], className)}
        {...rest}
      />
    </Tip>
  )
}
