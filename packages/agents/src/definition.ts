import { RouseError } from "@rouse/protocol"
import type { JsonObject, TypeInfo } from "@rouse/protocol"
import { jsonSchemaOf, validate } from "./core/validate.ts"
import type { EntityDefinition } from "./entity.ts"

/** What `GET /v1/types` shows of a definition. */
export function typeInfo(definition: EntityDefinition): TypeInfo {
  const args = definition.args && jsonSchemaOf(definition.args)
  return {
    name: definition.name,
    description: definition.description,
    collections: Object.keys(definition.state),
    ...(args ? { args } : {}),
  }
}

/**
 * Checks the arguments of a spawn. They are kept as they were given: defaults and transforms of the schema apply at every wake.
 *
 * @throws {RouseError} `INVALID_ARGS` naming the path and the rule.
 */
export async function validateArgs(definition: EntityDefinition, args: unknown): Promise<JsonObject> {
  if (typeof args !== "object" || args === null || Array.isArray(args)) {
    throw new RouseError("INVALID_ARGS", "args: must be an object", { details: { path: "args" } })
  }
  if (definition.args) await validate(definition.args, args, "args")
  return args as JsonObject
}
