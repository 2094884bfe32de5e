import type { ReactNode } from "react"
import { cn } from "./class-names.ts"

/** The place of a line of text that is on its way: as tall as the text, so that nothing moves when it comes. */
export function Skeleton({ className }: { readonly className?: string }): ReactNode {
  return <span aria-hidden className={cn("skeleton inline-block h-[0.8em] align-middle", className)} />
}
