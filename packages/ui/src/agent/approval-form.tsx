import type { ApprovalRow } from "@rouse/protocol"
import { useState } from "react"
import type { ReactNode } from "react"
import { Button } from "../components/button.tsx"
import { Input } from "../components/field.tsx"
import { valueForm, valueOf } from "../core/value-form.ts"
import { useAction } from "../data/action.ts"
import { useApp } from "../data/app.tsx"
import { useIsPast } from "../data/is-past.ts"
import { ApprovalFacts } from "./approval-facts.tsx"
import { ValueFields } from "./value-fields.tsx"

type Values = Readonly<Record<string, string>>

/**
 * Asks a person whether a call may run, as it is or changed, or for the answer to a question, with room for a reason. The run waits on the
 * log, not in a process.
 */
export function ApprovalForm(props: {
  readonly url: string
  readonly call: string
  readonly question: string
  readonly approval?: ApprovalRow | undefined
}): ReactNode {
  const { client } = useApp()
  const { busy, act } = useAction()
  const [note, setNote] = useState("")
  const [done, setDone] = useState<number>()
  const [editing, setEditing] = useState(false)
  const [values, setValues] = useState<Values>({})
  const [errors, setErrors] = useState<Values>({})
  const past = useIsPast()
  const { approval } = props
  const votes = approval?.votes?.length ?? 0
  const isQuestion = approval?.kind === "question"
  const form = valueForm(approval?.schema, isQuestion ? undefined : (approval?.edited ?? approval?.input))
  const off = busy || done === votes
  const reason = note.trim() === "" ? undefined : note.trim()
  const send = (work: () => Promise<void>): void => {
    act(work).then((worked) => worked && setDone(votes), console.error)
  }
  const allow = (): void => {
    if (!isQuestion && !editing) return send(() => client.approve(props.url, props.call, "allow", reason))
    const filled = valueOf(form, values)
    if ("errors" in filled) return setErrors(filled.errors)
    setErrors({})
    send(() =>
      isQuestion
        ? client.answer(props.url, props.call, filled.value, { note: reason })
        : client.approve(props.url, props.call, "allow", reason, { input: filled.value }),
    )
  }
  if (past)
    return <p className="border-t border-attention-line px-3 py-2 text-attention">It waited for a person here.</p>
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        allow()
      }}
      className="flex flex-wrap items-center gap-2 border-t border-attention-line bg-attention-soft px-3 py-2.5"
    >
      <div className="w-full">
        <p className="font-medium text-attention">{isQuestion ? approval.question : props.question}</p>
        {approval && <ApprovalFacts approval={approval} />}
      </div>
      {(isQuestion || editing) && (
        <ValueFields
          form={form}
          values={values}
          errors={errors}
          disabled={off}
          label={isQuestion ? "Answer" : "Arguments"}
          onChange={(next) => {
            setValues(next)
            setErrors({})
          }}
        />
      )}
      <Input
        aria-label="A note with the decision"
        placeholder="Note, optional"
        value={note}
        maxLength={4096}
        disabled={off}
        onChange={({ target }) => setNote(target.value)}
        className="min-w-32 flex-1 basis-40"
      />
      {approval !== undefined && approval.kind === undefined && (
        <Button aria-pressed={editing} disabled={off} onClick={() => setEditing(!editing)}>
          {editing ? "Keep as it was" : "Edit"}
        </Button>
      )}
      <Button disabled={off} onClick={() => send(() => client.approve(props.url, props.call, "deny", reason))}>
        {isQuestion ? "Decline" : "Deny"}
      </Button>
      <Button type="submit" tone="solid" disabled={off}>
        {isQuestion ? "Answer" : editing ? "Allow as edited" : "Allow"}
      </Button>
    </form>
  )
}
