import type { Json, JsonObject } from "@rouse/protocol"
import { isObject } from "./json.ts"

/** One field of a form made of a type's JSON Schema. */
export interface ArgField {
  readonly name: string
  readonly kind: "text" | "number" | "boolean" | "choice"
  readonly required: boolean
  readonly hint?: string
  readonly choices?: readonly string[]
  readonly initial: string
}

/** How many fields a form has at most; a type with more gets a JSON editor. */
const FIELDS_MAX = 12

/**
 * The fields for a schema, or undefined when it asks for more than a simple form can: nested values, unions, free-form keys.
 *
 * @param schema JSON Schema of the type's `args`, as `GET /v1/types` shows it.
 */
export function fieldsOf(schema: JsonObject | undefined): readonly ArgField[] | undefined {
  if (schema === undefined || schema["type"] !== "object") return undefined
  const properties = schema["properties"]
  if (!isObject(properties)) return []
  const required = new Set(Array.isArray(schema["required"]) ? schema["required"] : [])
  const fields = Object.entries(properties).map(([name, value]) => fieldOf(name, value, required.has(name)))
  if (fields.length > FIELDS_MAX || fields.includes(undefined)) return undefined
  return fields as readonly ArgField[]
}

/** The arguments that a filled form means, or what is wrong with which field. Empty optional fields are left out. */
export function argsOf(
  fields: readonly ArgField[],
  values: Readonly<Record<string, string>>,
): { readonly args: JsonObject } | { readonly errors: Readonly<Record<string, string>> } {
  const args: Record<string, Json> = {}
  const errors: Record<string, string> = {}
  for (const field of fields) {
    const text = (values[field.name] ?? field.initial).trim()
    if (field.kind === "boolean") args[field.name] = text === "true"
    else if (text === "" && field.required) errors[field.name] = `${field.name} is required`
    else if (text === "") continue
    else if (field.kind !== "number") args[field.name] = text
    else if (Number.isFinite(Number(text))) args[field.name] = Number(text)
    else errors[field.name] = `${field.name} must be a number`
  }
  return Object.keys(errors).length > 0 ? { errors } : { args }
}

/** The object that a text is, or why it is not one. */
export function parseArgs(text: string): { readonly args: JsonObject } | { readonly error: string } {
  if (text.trim() === "") return { args: {} }
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value as Json)) return { args: value as JsonObject }
    return { error: "The arguments must be a JSON object" }
  } catch (error) {
    return { error: `This is not JSON: ${error instanceof Error ? error.message : String(error)}` }
  }
}

function fieldOf(name: string, value: Json | undefined, required: boolean): ArgField | undefined {
  if (!isObject(value)) return undefined
  const hint = typeof value["description"] === "string" ? { hint: value["description"] } : {}
  const given = value["default"]
  const initial = typeof given === "object" || given === undefined ? "" : String(given)
  const base = { name, required: required && given === undefined, ...hint, initial }
  const choices = value["enum"]
  if (Array.isArray(choices) && choices.every((choice) => typeof choice === "string"))
    return { ...base, kind: "choice", choices }
  const type = value["type"]
  if (type === "string") return { ...base, kind: "text" }
  if (type === "number" || type === "integer") return { ...base, kind: "number" }
  if (type === "boolean") return { ...base, kind: "boolean", required: false, initial: initial || "false" }
  return undefined
}
