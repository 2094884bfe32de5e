import { useState } from "react"
import type { ReactNode } from "react"
import { Button } from "../components/button.tsx"
import { Input } from "../components/field.tsx"
import { useAction } from "../data/action.ts"
import { useApp } from "../data/app.tsx"

/** Asks a person whether a call may run, with room for a reason. The run waits on the log, not in a process. */
export function ApprovalForm(props: {
  readonly url: string
  readonly call: string
  readonly question: string
}): ReactNode {
  const { client } = useApp()
  const { busy, act } = useAction()
  const [note, setNote] = useState("")
  const [decided, setDecided] = useState(false)
  const decide = (decision: "allow" | "deny"): void => {
    const reason = note.trim() === "" ? undefined : note.trim()
    act(() => client.approve(props.url, props.call, decision, reason)).then(setDecided, console.error)
  }
  return (
    <div className="flex flex-wrap items-center gap-2 border-t border-attention-line bg-attention-soft px-3 py-2.5">
      <p className="w-full font-medium text-attention sm:w-auto">{props.question}</p>
      <Input
        aria-label="A note with the decision"
        placeholder="Note, optional"
        value={note}
        maxLength={4096}
        disabled={busy || decided}
        onChange={({ target }) => setNote(target.value)}
        className="min-w-32 flex-1"
      />
      <Button disabled={busy || decided} onClick={() => decide("deny")}>
        Deny
      </Button>
      <Button tone="solid" disabled={busy || decided} onClick={() => decide("allow")}>
        Allow
      </Button>
    </div>
  )
}
