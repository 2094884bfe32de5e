import type { ReactNode } from "react"
import { cn } from "./class-names.ts"

/** The key for commands, as this machine calls it. */
export const MOD_KEY: string = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl"

/** Keys of the keyboard, as they are printed on it. */
export function Keys({ of, inverted }: { readonly of: readonly string[]; readonly inverted?: boolean }): ReactNode {
  return (
    <span className="inline-flex gap-0.5">
      {of.map((key) => (
        <kbd
          key={key}
          className={cn(
            "inline-flex h-4.5 min-w-4.5 items-center justify-center rounded px-1 font-sans text-2xs",
            inverted ? "bg-canvas/15 text-canvas" : "border border-line bg-sunken text-ink-2",
          )}
        >
          {key}
        </kbd>
      ))}
    </span>
  )
}
