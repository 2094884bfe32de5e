import type { JsonObject, TypeInfo } from "@rouse/protocol"
import { isEntityId } from "@rouse/protocol"
import { useNavigate } from "@tanstack/react-router"
import { ChevronRight } from "lucide-react"
import { useState } from "react"
import type { FormEvent, ReactNode } from "react"
import { Button } from "../components/button.tsx"
import { Dialog } from "../components/dialog.tsx"
import { EmptyState } from "../components/empty-state.tsx"
import { Field, Input, Select, Textarea } from "../components/field.tsx"
import { argsOf, fieldsOf, parseArgs } from "../core/args-form.ts"
import type { ArgField } from "../core/args-form.ts"
import { sentenceOf } from "../core/errors.ts"
import { useApp, useTypes } from "../data/app.tsx"

interface Draft {
  readonly type: string
  readonly id: string
  readonly values: Readonly<Record<string, string>>
  readonly json: string
  readonly message: string
}

type Errors = Readonly<Record<string, string>>

/** Makes an agent: its type, its id, its arguments, and what it is told first. */
export default function NewAgentDialog(props: {
  readonly type: string | undefined
  readonly onOpenChange: (open: boolean) => void
}): ReactNode {
  const types = useTypes()
  return (
    <Dialog
      open
      onOpenChange={props.onOpenChange}
      title="New agent"
      description="It costs nothing until something happens to it."
    >
      {types && types.length === 0 && (
        <EmptyState title="No types yet">
          Define one with defineEntity in a file that this server was started with.
        </EmptyState>
      )}
      {types && types.length > 0 && <Form types={types} type={props.type} close={() => props.onOpenChange(false)} />}
      {!types && <div aria-busy className="h-80" />}
    </Dialog>
  )
}

function Form(props: {
  readonly types: readonly TypeInfo[]
  readonly type: string | undefined
  readonly close: () => void
}): ReactNode {
  const { types } = props
  const { client } = useApp()
  const navigate = useNavigate()
  const [draft, setDraft] = useState<Draft>({
    type: types.some(({ name }) => name === props.type) ? props.type! : types[0]!.name,
    id: "",
    values: {},
    json: "",
    message: "",
  })
  const [errors, setErrors] = useState<Errors>({})
  const [busy, setBusy] = useState(false)
  const type = types.find(({ name }) => name === draft.type) ?? types[0]!
  const fields = fieldsOf(type.args)
  const change = (part: Partial<Draft>): void => setDraft({ ...draft, ...part })

  const create = async (args: JsonObject): Promise<void> => {
    const id = draft.id.trim() === "" ? undefined : draft.id.trim()
    const takesText = type.message === undefined || type.message["type"] === "string"
    const message = takesText ? draft.message.trim() : ""
    const { entity } = await client.spawn(draft.type, id, { args, ...(message !== "" && { message }) })
    props.close()
    await navigate({ to: "/agents/$type/$id", params: { type: entity.type, id: entity.id } })
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const checked = checkDraft(draft, fields)
    if ("errors" in checked) return setErrors(checked.errors)
    setBusy(true)
    create(checked.args).catch((error: unknown) => {
      setErrors({ form: sentenceOf(error) })
      setBusy(false)
    })
  }
  return (
    <form onSubmit={submit} noValidate className="flex min-h-0 flex-col">
      <div className="flex min-h-0 flex-col gap-1.5 overflow-auto px-5 py-4">
        <div className="grid gap-x-3 gap-y-1.5 sm:grid-cols-2">
          <Field label="Type" hint={type.description}>
            {({ id, describedBy }) => (
              <Select
                id={id}
                aria-describedby={describedBy}
                value={draft.type}
                onChange={({ target }) => change({ type: target.value })}
              >
                {types.map(({ name }) => (
                  <option key={name}>{name}</option>
                ))}
              </Select>
            )}
          </Field>
          <Field
            label="Id"
            optional
            hint={
              draft.id.trim() === "" ? "A random one when left empty" : `Its address: /${draft.type}/${draft.id.trim()}`
            }
            error={errors["id"]}
          >
            {({ id, describedBy, invalid }) => (
              <Input
                id={id}
                autoFocus
                aria-describedby={describedBy}
                aria-invalid={invalid}
                value={draft.id}
                placeholder="one"
                onChange={({ target }) => change({ id: target.value })}
              />
            )}
          </Field>
        </div>
        <Args fields={fields} draft={draft} errors={errors} change={change} />
        {(type.message === undefined || type.message["type"] === "string") && (
          <Field label="First message" optional>
            {({ id }) => (
              <Textarea
                id={id}
                rows={3}
                value={draft.message}
                placeholder="It wakes when it gets one"
                onChange={({ target }) => change({ message: target.value })}
                onKeyDown={(event) => {
                  if (event.key === "Enter" && (event.metaKey || event.ctrlKey))
                    event.currentTarget.form?.requestSubmit()
                }}
              />
            )}
          </Field>
        )}
      </div>
      <footer className="flex items-center gap-3 border-t border-line px-5 py-3">
        <p role="alert" className="min-w-0 flex-1 text-xs text-danger">
          {errors["form"]}
        </p>
        <Button tone="ghost" onClick={props.close}>
          Cancel
        </Button>
        <Button type="submit" tone="solid" disabled={busy}>
          {busy ? "Creating" : "Create agent"}
        </Button>
      </footer>
    </form>
  )
}

function Args(props: ArgsProps & { readonly fields: readonly ArgField[] | undefined }): ReactNode {
  const { fields, draft, errors, change } = props
  if (fields === undefined) return <JsonArgs draft={draft} errors={errors} change={change} />
  return fields.map((field) => (
    <ArgInput key={field.name} field={field} draft={draft} errors={errors} change={change} />
  ))
}

interface ArgsProps {
  readonly draft: Draft
  readonly errors: Errors
  readonly change: (part: Partial<Draft>) => void
}

/** Arguments as JSON, for a type that tells no simple schema. Most of those take none, so they are folded. */
function JsonArgs({ draft, errors, change }: ArgsProps): ReactNode {
  return (
    <details className="group pb-1" open={errors["json"] !== undefined || undefined}>
      <summary className="mb-1 flex w-fit items-center gap-1 rounded text-xs font-medium text-ink-2 hover:text-ink">
        <ChevronRight aria-hidden className="size-3 transition-transform group-open:rotate-90" />
        Arguments <span className="font-normal text-ink-3">optional</span>
      </summary>
      <Field label="As JSON" hint="A JSON object" error={errors["json"]}>
        {({ id, describedBy, invalid }) => (
          <Textarea
            id={id}
            rows={3}
            spellCheck={false}
            aria-describedby={describedBy}
            aria-invalid={invalid}
            value={draft.json}
            placeholder="{}"
            onChange={({ target }) => change({ json: target.value })}
            className="font-mono text-xs"
          />
        )}
      </Field>
    </details>
  )
}

function ArgInput({ field, draft, errors, change }: ArgsProps & { readonly field: ArgField }): ReactNode {
  return (
    <Field label={field.name} optional={!field.required} hint={field.hint} error={errors[`arg.${field.name}`]}>
      {({ id, describedBy, invalid }) => {
        const common = {
          id,
          "aria-describedby": describedBy,
          "aria-invalid": invalid,
          value: draft.values[field.name] ?? field.initial,
          onChange: ({ target }: { readonly target: { readonly value: string } }) =>
            change({ values: { ...draft.values, [field.name]: target.value } }),
        }
        if (field.kind === "text") return <Input {...common} />
        if (field.kind === "number") return <Input {...common} inputMode="decimal" />
        const choices = field.kind === "boolean" ? ["false", "true"] : ["", ...(field.choices ?? [])]
        return (
          <Select {...common}>
            {choices.map((choice) => (
              <option key={choice}>{choice}</option>
            ))}
          </Select>
        )
      }}
    </Field>
  )
}

/** The arguments to create it with, or what is wrong where. */
function checkDraft(
  draft: Draft,
  fields: readonly ArgField[] | undefined,
): { readonly args: JsonObject } | { readonly errors: Errors } {
  const id = draft.id.trim()
  const idError: Errors =
    id === "" || isEntityId(id) ? {} : { id: "Letters, digits and . _ ~ - only, a letter or digit first, at most 128" }
  const parsed = fields ? argsOf(fields, draft.values) : parseArgs(draft.json)
  if ("args" in parsed) return Object.keys(idError).length > 0 ? { errors: idError } : parsed
  if ("error" in parsed) return { errors: { ...idError, json: parsed.error } }
  const named = Object.entries(parsed.errors).map(([name, text]) => [`arg.${name}`, text] as const)
  return { errors: { ...idError, ...Object.fromEntries(named) } }
}
