import { Validator } from "@cfworker/json-schema"
import type { JsonObject } from "@rouse/protocol"
import type { StandardSchemaV1 } from "@standard-schema/spec"

/** A tool's input as the validator's Standard Schema. It checks without generating code, which edge runtimes forbid. */
export function jsonInput(schema: JsonObject): StandardSchemaV1<Readonly<Record<string, unknown>>> {
  const validator = new Validator(schema, "2020-12", false)
  return {
    "~standard": {
      version: 1,
      vendor: "rouse",
      validate: (value) => {
        const { valid, errors } = validator.validate(value)
        if (valid) return { value: value as Readonly<Record<string, unknown>> }
        return { issues: leaves(errors).map((one) => ({ message: one.error, path: pathOf(one.instanceLocation) })) }
      },
    },
  }
}

type Problem = ReturnType<Validator["validate"]>["errors"][number]

/** What is wrong itself, without the schemas around it that are wrong because of it. */
function leaves(errors: readonly Problem[]): readonly Problem[] {
  const found = errors.filter(
    (one) => !errors.some((other) => other !== one && other.instanceLocation.startsWith(`${one.instanceLocation}/`)),
  )
  const own = found.filter((one) => !["properties", "items", "additionalProperties"].includes(one.keyword))
  return own.length > 0 ? own : found
}

function pathOf(location: string): readonly string[] {
  return location
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
}
