import { RouseError } from "@rouse/protocol"
import type { JsonObject, TypeManifest } from "@rouse/protocol"
import { jsonSchemaOf, validate } from "./core/validate.ts"
import type { EntityDefinition } from "./entity.ts"

/** What the control plane must know of a definition, apart from its handler. */
export function typeManifest(definition: EntityDefinition): TypeManifest {
  const { name, description, state, timeout, attempts, concurrency, budget } = definition
  const args = definition.args && jsonSchemaOf(definition.args)
  const message = definition.message && jsonSchemaOf(definition.message)
  return {
    name,
    description,
    collections: Object.keys(state),
    ...(attempts === undefined ? {} : { attempts }),
    ...(args ? { args } : {}),
    ...(message ? { message } : {}),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(budget === undefined ? {} : { budget }),
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

/**
 * Checks what a person or an app sends. It is kept as it was sent.
 *
 * @throws {RouseError} `INVALID_ARGS` naming the path and the rule.
 */
export async function validateMessage({ message }: EntityDefinition, content: unknown): Promise<void> {
  if (message) await validate(message, content, "content")
}
