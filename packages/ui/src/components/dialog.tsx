import { X } from "lucide-react"
import { Dialog as Radix } from "radix-ui"
import type { ReactNode } from "react"
import { Button } from "./button.tsx"
import { cn } from "./class-names.ts"

const OVERLAY = "fixed inset-0 z-40 bg-scrim animate-fade"
const PANEL =
  "fixed z-50 flex max-h-[min(85dvh,46rem)] flex-col bg-raised text-ink shadow-pop outline-none inset-x-0 bottom-0 rounded-t-xl animate-sheet sm:inset-x-auto sm:bottom-auto sm:left-1/2 sm:top-[12vh] sm:w-full sm:-translate-x-1/2 sm:rounded-xl sm:animate-fade"

/** A dialog: in the middle of a desk, at the bottom of a phone. */
export function Dialog(props: {
  readonly open: boolean
  readonly onOpenChange: (open: boolean) => void
  readonly title: string
  readonly description?: string
  readonly hideTitle?: boolean
  readonly className?: string
  readonly children: ReactNode
}): ReactNode {
  return (
    <Radix.Root open={props.open} onOpenChange={props.onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={OVERLAY} />
        <Radix.Content
          className={cn(PANEL, props.className ?? "sm:max-w-lg")}
          {...(props.description ? {} : { "aria-describedby": undefined })}
        >
          <header
            className={cn("flex items-start gap-3 border-b border-line px-5 py-3.5", props.hideTitle && "sr-only")}
          >
            <div className="min-w-0 flex-1">
              <Radix.Title className="text-base font-semibold tracking-tight">{props.title}</Radix.Title>
              {props.description && (
                <Radix.Description className="text-sm text-ink-2">{props.description}</Radix.Description>
              )}
            </div>
            <Radix.Close asChild>
              {/* Without a tooltip, which would take the first Escape for itself. */}
              <Button tone="ghost" aria-label="Close" title="Close" className="-mr-2 aspect-square px-0">
                <X className="size-4" />
              </Button>
            </Radix.Close>
          </header>
          {props.children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
