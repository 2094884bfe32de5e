import { AlertDialog } from "radix-ui"
import type { ReactNode } from "react"
import { Button } from "./button.tsx"

/** Asks before something that cannot be taken back. */
export function Confirm(props: {
  readonly open: boolean
  readonly onOpenChange: (open: boolean) => void
  readonly title: string
  readonly about: ReactNode
  /** What the button that does it says. */
  readonly yes: string
  readonly no?: string
  readonly act: () => void
}): ReactNode {
  return (
    <AlertDialog.Root open={props.open} onOpenChange={props.onOpenChange}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="fixed inset-0 z-40 animate-fade bg-scrim" />
        <AlertDialog.Content className="fixed top-[20vh] left-1/2 z-50 w-[min(26rem,calc(100vw-2rem))] -translate-x-1/2 animate-fade rounded-xl bg-raised p-5 shadow-pop">
          <AlertDialog.Title className="text-base font-semibold tracking-tight break-words">
            {props.title}
          </AlertDialog.Title>
          <AlertDialog.Description className="mt-1 text-ink-2">{props.about}</AlertDialog.Description>
          <div className="mt-5 flex justify-end gap-2">
            <AlertDialog.Cancel asChild>
              <Button tone="ghost">{props.no ?? "Keep it"}</Button>
            </AlertDialog.Cancel>
            <AlertDialog.Action asChild>
              <Button tone="danger" onClick={props.act}>
                {props.yes}
              </Button>
            </AlertDialog.Action>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  )
}
