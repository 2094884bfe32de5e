import { type Json, type JsonObject, RouseError } from "@rouse/protocol"
import { z } from "zod"

const ISSUES_SHOWN_MAX = 5

/**
 * Checks a value against a JSON Schema. One that says what cannot be checked here is passed: the handler's own schema has the last word.
 *
 * @throws {RouseError} `INVALID_ARGS` naming each path and rule.
 */
export function matchSchema(schema: JsonObject, value: Json, what: string): void {
  const type = typeOf(schema)
  const parsed = type?.safeParse(value)
  if (parsed === undefined || parsed.success) return
  const shown = parsed.error.issues
    .slice(0, ISSUES_SHOWN_MAX)
    .map((issue) => `${[what, ...issue.path.map(String)].join(".")}: ${issue.message}`)
  throw new RouseError("INVALID_ARGS", shown.join("; "))
}

function typeOf(schema: JsonObject): z.ZodType | undefined {
  try {
    return z.fromJSONSchema(schema)
  } catch {
    // It uses a part of JSON Schema that zod does not know.
    return undefined
  }
}
