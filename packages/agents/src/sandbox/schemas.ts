import type { JsonObject } from "@rouse/protocol"
import type { StandardSchemaV1 } from "@standard-schema/spec"

interface Field {
  readonly type: "string" | "integer"
  readonly description: string
  readonly optional?: true
  readonly charsMax?: number
  readonly max?: number
}

/** The schema of a tool's input made of texts and whole numbers, as a validator and as JSON Schema. */
export function inputOf<T>(fields: Readonly<Record<string, Field>>): {
  readonly input: StandardSchemaV1<T, T>
  readonly inputSchema: JsonObject
} {
  const shown = Object.entries(fields).map(([name, { type, description }]) => [name, { type, description }] as const)
  const required = Object.entries(fields).flatMap(([name, { optional }]) => (optional ? [] : [name]))
  return {
    inputSchema: { type: "object", properties: Object.fromEntries(shown), required, additionalProperties: false },
    input: {
      "~standard": {
        version: 1,
        vendor: "rouse",
        validate: (value) => {
          const given = (typeof value === "object" && value !== null ? value : {}) as Readonly<Record<string, unknown>>
          const issues = Object.entries(fields).flatMap(([name, field]) => {
            const message = problem(field, given[name])
            return message === undefined ? [] : [{ message, path: [name] }]
          })
          return issues.length > 0 ? { issues } : { value: value as T }
        },
      },
    },
  }
}

const CHARS_MAX = 4_096

function problem({ type, optional, charsMax = CHARS_MAX, max = Infinity }: Field, value: unknown): string | undefined {
  if (value === undefined) return optional ? undefined : "is required"
  if (type === "integer") {
    const isRight = Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= max
    return isRight ? undefined : `must be a whole number from 1${max === Infinity ? "" : ` to ${max}`}`
  }
  if (typeof value !== "string") return "must be a text"
  return value.length <= charsMax ? undefined : `must be at most ${charsMax} characters`
}
