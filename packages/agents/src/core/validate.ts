import { RouseError } from "@rouse/protocol"
import type { Json, JsonObject } from "@rouse/protocol"
import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec"

/** How many problems of one value are named in an error. */
const ISSUES_SHOWN_MAX = 5

/**
 * Checks a value against any Standard Schema and returns what the schema makes of it.
 *
 * @param what Names the value in the error: `args`, `input of refund`.
 * @throws {RouseError} `INVALID_ARGS` naming each path and rule.
 */
export async function validate<S extends StandardSchemaV1>(
  schema: S,
  value: unknown,
  what: string,
): Promise<StandardSchemaV1.InferOutput<S>> {
  const checked = schema["~standard"].validate(value)
  return outputOf(checked instanceof Promise ? await checked : checked, what)
}

/** As `validate`, for schemas that check without waiting. */
export function validateSync<S extends StandardSchemaV1>(
  schema: S,
  value: unknown,
  what: string,
): StandardSchemaV1.InferOutput<S> {
  const checked = schema["~standard"].validate(value)
  if (checked instanceof Promise) {
    throw new RouseError("INVALID_ARGS", `${what}: the schema checks asynchronously, which is not possible here`)
  }
  return outputOf(checked, what)
}

function outputOf<T>(result: StandardSchemaV1.Result<T>, what: string): T {
  if (result.issues === undefined) return result.value
  const shown = result.issues.slice(0, ISSUES_SHOWN_MAX).map((issue) => `${pathOf(what, issue)}: ${issue.message}`)
  const more = result.issues.length - shown.length
  throw new RouseError("INVALID_ARGS", shown.join("; ") + (more > 0 ? `; and ${more} more` : ""), {
    details: { path: pathOf(what, result.issues[0]) },
  })
}

function pathOf(what: string, issue: StandardSchemaV1.Issue | undefined): string {
  const keys = (issue?.path ?? []).map((part) => String(typeof part === "object" ? part.key : part))
  return [what, ...keys].join(".")
}

/**
 * The JSON Schema of what a schema accepts, from its own Standard JSON Schema facility (zod since 4.2, valibot, arktype).
 * Undefined when it has none, or the schema cannot be shown as JSON Schema.
 */
export function jsonSchemaOf(schema: StandardSchemaV1): JsonObject | undefined {
  const facility = (schema as StandardSchemaV1 & Partial<StandardJSONSchemaV1>)["~standard"] as {
    readonly jsonSchema?: StandardJSONSchemaV1.Converter
  }
  if (facility.jsonSchema === undefined) return undefined
  try {
    const { $schema: _, ...rest } = facility.jsonSchema.input({ target: "draft-07" })
    return JSON.parse(JSON.stringify(rest)) as JsonObject
  } catch {
    // The vendor throws for what JSON Schema cannot say (a transform, a date): the caller decides what that means.
    return undefined
  }
}

/** A schema of ours that checks with a function. */
export function schemaOf<T>(validate: (value: unknown) => StandardSchemaV1.Result<T>): StandardSchemaV1<T, T> {
  return { "~standard": { version: 1, vendor: "rouse", validate } }
}

/** Whether a value looks like a Standard Schema. */
export function isSchema(value: unknown): value is StandardSchemaV1 {
  return (typeof value === "object" || typeof value === "function") && value !== null && "~standard" in value
}

/**
 * The JSON that a value becomes, with `undefined` as null.
 *
 * @throws {RouseError} `INVALID_ARGS` for what JSON cannot hold: functions, big integers, cycles.
 */
export function toJson(value: unknown, what: string): Json {
  if (value === undefined || value === null) return null
  if (typeof value === "string" || typeof value === "boolean") return value
  try {
    const text = JSON.stringify(value)
    if (text !== undefined) return JSON.parse(text) as Json
  } catch (error) {
    throw new RouseError("INVALID_ARGS", `${what} cannot be written as JSON`, { cause: error })
  }
  throw new RouseError("INVALID_ARGS", `${what} cannot be written as JSON: it is a ${typeof value}`)
}
