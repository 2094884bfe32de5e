import { Tooltip } from "radix-ui"
import type { ReactNode } from "react"
import { Keys } from "./keys.tsx"

/** A tooltip: says what a control does, and the keys that do it. */
export function Tip(props: {
  readonly label: ReactNode
  readonly keys?: readonly string[]
  readonly side?: "top" | "right" | "bottom" | "left"
  readonly children: ReactNode
}): ReactNode {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger asChild>{props.children}</Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content
          side={props.side ?? "bottom"}
          sideOffset={6}
          collisionPadding={8}
          className="z-50 flex max-w-72 items-center gap-2 rounded-md bg-ink px-2 py-1 text-xs text-canvas animate-fade"
        >
          {props.label}
          {props.keys && <Keys of={props.keys} inverted />}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  )
}
