import type { Json, JsonObject } from "@rouse/protocol"
import { useState } from "react"
import type { FormEvent, ReactNode } from "react"
import { ValueFields } from "../agent/value-fields.tsx"
import { sentenceOf } from "../core/errors.ts"
import { valueForm, valueOf } from "../core/value-form.ts"
import { Button } from "./button.tsx"
import { Dialog } from "./dialog.tsx"

type Texts = Readonly<Record<string, string>>

/** A form made of a JSON Schema, in a dialog: what is refused is said in it, and nothing that was written is lost. */
export function SchemaDialog(props: {
  readonly title: string
  readonly description: string
  readonly schema: JsonObject
  readonly yes: string
  readonly close: () => void
  readonly submit: (value: Json) => Promise<unknown>
}): ReactNode {
  const [values, setValues] = useState<Texts>({})
  const [errors, setErrors] = useState<Texts>({})
  const [refused, setRefused] = useState<string>()
  const [busy, setBusy] = useState(false)
  const form = valueForm(props.schema)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const filled = valueOf(form, values)
    if ("errors" in filled) return setErrors(filled.errors)
    setBusy(true)
    setRefused(undefined)
    props.submit(filled.value).then(props.close, (error: unknown) => {
      setRefused(sentenceOf(error))
      setBusy(false)
    })
  }
  return (
    <Dialog open onOpenChange={(open) => open || props.close()} title={props.title} description={props.description}>
      <form noValidate onSubmit={submit} className="flex min-h-0 flex-col">
        <div className="overflow-auto px-5 py-4">
          <ValueFields
            form={form}
            values={values}
            errors={errors}
            disabled={busy}
            label={props.title}
            onChange={(next) => {
              setValues(next)
              setErrors({})
            }}
          />
        </div>
        <footer className="flex items-center gap-3 border-t border-line px-5 py-3">
          <p role="alert" className="min-w-0 flex-1 text-xs text-danger">
            {refused}
          </p>
          <Button tone="ghost" onClick={props.close}>
            Cancel
          </Button>
          <Button type="submit" tone="solid" disabled={busy}>
            {props.yes}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}
