import type { ReactNode } from "react"
import { Field, Input, Select, Textarea } from "../components/field.tsx"
import type { ArgField } from "../core/args-form.ts"
import { JSON_FIELD } from "../core/value-form.ts"
import type { ValueForm } from "../core/value-form.ts"

/** The fields of a form made of a JSON Schema. */
export function ValueFields(props: {
  readonly form: ValueForm
  readonly values: Readonly<Record<string, string>>
  readonly errors: Readonly<Record<string, string>>
  readonly disabled: boolean
  readonly label: string
  readonly onChange: (values: Readonly<Record<string, string>>) => void
}): ReactNode {
  const { form, values, errors, disabled, onChange } = props
  const valueFor = (name: string, initial = ""): string => values[name] ?? form.initial[name] ?? initial
  const set = (name: string, value: string): void => onChange({ ...values, [name]: value })
  if (form.fields === undefined) {
    return (
      <div className="w-full">
        <Field label={props.label} hint="JSON" error={errors[JSON_FIELD]}>
          {({ id, describedBy, invalid }) => (
            <Textarea
              id={id}
              rows={4}
              className="font-mono text-xs"
              aria-describedby={describedBy}
              aria-invalid={invalid}
              disabled={disabled}
              value={valueFor(JSON_FIELD)}
              onChange={({ target }) => set(JSON_FIELD, target.value)}
            />
          )}
        </Field>
      </div>
    )
  }
  return (
    <div className="grid w-full gap-x-3 gap-y-0.5 sm:grid-cols-2">
      {form.fields.map((field) => (
        <Field
          key={field.name}
          label={form.bare ? props.label : field.name}
          hint={field.hint}
          error={errors[field.name]}
          optional={!field.required && field.kind !== "boolean"}
        >
          {(ids) => (
            <Control
              field={field}
              ids={ids}
              disabled={disabled}
              value={valueFor(field.name, field.initial)}
              onChange={(value) => set(field.name, value)}
            />
          )}
        </Field>
      ))}
    </div>
  )
}

function Control(props: {
  readonly field: ArgField
  readonly ids: { readonly id: string; readonly describedBy: string; readonly invalid: boolean }
  readonly disabled: boolean
  readonly value: string
  readonly onChange: (value: string) => void
}): ReactNode {
  const { field, ids, value, onChange, disabled } = props
  const shared = { id: ids.id, "aria-describedby": ids.describedBy, "aria-invalid": ids.invalid, disabled, value }
  if (field.kind === "choice" || field.kind === "boolean") {
    const choices = field.kind === "boolean" ? ["true", "false"] : (field.choices ?? [])
    return (
      <Select {...shared} onChange={({ target }) => onChange(target.value)}>
        {field.kind === "choice" && <option value="">Choose…</option>}
        {choices.map((choice) => (
          <option key={choice}>{choice}</option>
        ))}
      </Select>
    )
  }
  const numeric = field.kind === "number" ? ({ inputMode: "decimal" } as const) : {}
  return <Input {...shared} {...numeric} onChange={({ target }) => onChange(target.value)} />
}
