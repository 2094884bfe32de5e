import type { Json, JsonObject } from "@rouse/protocol"
import { argsOf, fieldsOf } from "./args-form.ts"
import type { ArgField } from "./args-form.ts"
import { isObject } from "./json.ts"

/** A form for any value that a JSON Schema describes: fields where they say it, a text of JSON where not. */
export interface ValueForm {
  /** Absent: the value is written as JSON. */
  readonly fields?: readonly ArgField[]
  /** The value is no object: the one field is the value itself. */
  readonly bare: boolean
  /** What the fields begin with, by name; of a JSON text under `JSON_FIELD`. */
  readonly initial: Readonly<Record<string, string>>
}

/** The name of the one field of a value that is no object. */
const BARE = "answer"
export const JSON_FIELD = "json"

/** @param value What is to be changed; undefined when it is to be given. */
export function valueForm(schema: JsonObject | undefined, value?: Json): ValueForm {
  const whole = fieldsOf(schema)
  if (whole && whole.length > 0) {
    const fields = isObject(value) && !isCovered(whole, value) ? undefined : whole
    if (fields) return { fields, bare: false, initial: isObject(value) ? texts(value) : {} }
  }
  const one =
    schema === undefined ? undefined : fieldsOf({ type: "object", properties: { [BARE]: schema }, required: [BARE] })
  if (one && value === undefined) return { fields: one, bare: true, initial: {} }
  return { bare: false, initial: { [JSON_FIELD]: value === undefined ? "" : JSON.stringify(value, null, 2) } }
}

/** The value that a filled form means, or what is wrong with which field. */
export function valueOf(
  form: ValueForm,
  values: Readonly<Record<string, string>>,
): { readonly value: Json } | { readonly errors: Readonly<Record<string, string>> } {
  const given = { ...form.initial, ...values }
  if (form.fields === undefined) return parsed(given[JSON_FIELD] ?? "")
  const result = argsOf(form.fields, given)
  if ("errors" in result) return result
  return { value: form.bare ? (result.args[BARE] ?? null) : result.args }
}

function parsed(text: string): ReturnType<typeof valueOf> {
  try {
    return { value: JSON.parse(text) as Json }
  } catch (error) {
    return { errors: { [JSON_FIELD]: `This is not JSON: ${error instanceof Error ? error.message : String(error)}` } }
  }
}

/** Whether fields can hold all of a value: one with more in it is edited as JSON. */
function isCovered(fields: readonly ArgField[], value: JsonObject): boolean {
  const names = new Set(fields.map(({ name }) => name))
  return Object.entries(value).every(
    ([name, inner]) => names.has(name) && (typeof inner !== "object" || inner === null),
  )
}

function texts(value: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, textOf(inner)]))
}

function textOf(value: Json | undefined): string {
  if (value === null || value === undefined) return ""
  return typeof value === "string" ? value : JSON.stringify(value)
}
