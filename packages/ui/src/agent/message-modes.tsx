import type { MessageMode } from "@rouse/protocol"
import type { ReactNode } from "react"

/** How a message joins a run under way. */
export const MODES: readonly { readonly mode: MessageMode; readonly label: string; readonly meaning: string }[] = [
  { mode: "steer", label: "Steer", meaning: "joins at the next step" },
  { mode: "queue", label: "Queue", meaning: "waits for the next run" },
  { mode: "interrupt", label: "Interrupt", meaning: "aborts the run first" },
]

export function Modes(props: { readonly mode: MessageMode; readonly setMode: (mode: MessageMode) => void }): ReactNode {
  return (
    <fieldset className="flex shrink-0 rounded-md bg-sunken p-0.5">
      <legend className="sr-only">How it joins the run</legend>
      {MODES.map(({ mode, label, meaning }) => (
        <label
          key={mode}
          title={meaning}
          className="flex h-6 cursor-pointer items-center rounded px-2 text-xs font-medium text-ink-3 has-checked:bg-surface has-checked:text-ink has-checked:shadow-pop has-focus-visible:outline-2 has-focus-visible:outline-accent"
        >
          <input
            type="radio"
            name="mode"
            className="sr-only"
            checked={props.mode === mode}
            onChange={() => props.setMode(mode)}
          />
          {label}
        </label>
      ))}
    </fieldset>
  )
}
