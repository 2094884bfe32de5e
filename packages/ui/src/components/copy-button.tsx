import { Check, Copy } from "lucide-react"
import { useEffect, useState } from "react"
import type { ReactNode } from "react"
import { IconButton } from "./button.tsx"

/** How long the tick stays. */
const COPIED_MS = 1_500

/** Copies a text, and says that it did. */
export function CopyButton(props: {
  readonly label: string
  readonly text: () => string
  readonly className?: string
}): ReactNode {
  const [state, setState] = useState<"ready" | "copied" | "refused">("ready")
  useEffect(() => {
    if (state === "ready") return
    const timer = setTimeout(() => setState("ready"), COPIED_MS)
    return () => clearTimeout(timer)
  }, [state])
  const copy = (): void => {
    navigator.clipboard.writeText(props.text()).then(
      () => setState("copied"),
      () => setState("refused"),
    )
  }
  const label = { ready: props.label, copied: "Copied", refused: "The browser refused" }[state]
  return (
    <IconButton label={label} onClick={copy} className={props.className}>
      {state === "copied" ? <Check className="size-3.5 text-accent" /> : <Copy className="size-3.5" />}
    </IconButton>
  )
}
