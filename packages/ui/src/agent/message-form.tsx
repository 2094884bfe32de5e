import type { JsonObject, MessageMode } from "@rouse/protocol"
import { useState } from "react"
import type { FormEvent, ReactNode } from "react"
import { Button } from "../components/button.tsx"
import { sentenceOf } from "../core/errors.ts"
import { valueForm, valueOf } from "../core/value-form.ts"
import type { Standing } from "../core/standing.ts"
import { useApp } from "../data/app.tsx"
import { Modes } from "./message-modes.tsx"
import { ValueFields } from "./value-fields.tsx"

type Texts = Readonly<Record<string, string>>

/** A message in the fields that the agent's type says it has. What was written stays until the message is accepted. */
export function MessageForm(props: { readonly standing: Standing; readonly schema: JsonObject }): ReactNode {
  const { url, inRun, kind, loading } = props.standing
  const { client } = useApp()
  const [values, setValues] = useState<Texts>({})
  const [errors, setErrors] = useState<Texts>({})
  const [refused, setRefused] = useState<string>()
  const [mode, setMode] = useState<MessageMode>("steer")
  const [sending, setSending] = useState(false)
  const form = valueForm(props.schema)
  const stopped = !loading && kind === "stopped"
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const filled = valueOf(form, values)
    if ("errors" in filled) return setErrors(filled.errors)
    setSending(true)
    setRefused(undefined)
    client
      .send(url, filled.value, inRun ? { mode } : {})
      .then(() => setValues({}))
      .catch((error: unknown) => setRefused(sentenceOf(error)))
      .finally(() => setSending(false))
  }
  return (
    <form
      noValidate
      aria-label="Message"
      onSubmit={submit}
      className="mx-auto mb-3 max-h-[45%] w-[min(47rem,calc(100%-1.5rem))] shrink-0 overflow-auto rounded-xl border border-field bg-surface px-3.5 pt-3 pb-2"
    >
      <ValueFields
        form={form}
        values={values}
        errors={errors}
        disabled={sending || stopped}
        label="Message"
        onChange={(next) => {
          setValues(next)
          setErrors({})
        }}
      />
      <div className="mt-1 flex items-center gap-2">
        {inRun && <Modes mode={mode} setMode={setMode} />}
        <p role="alert" className="min-w-0 flex-1 text-xs text-danger">
          {refused ?? (stopped ? "It is stopped and takes no messages." : undefined)}
        </p>
        <Button type="submit" tone="solid" disabled={sending || stopped}>
          {sending ? "Sending" : "Send"}
        </Button>
      </div>
    </form>
  )
}
