import { type EntityDefinition, validateArgs, validateMessage } from "@rouse/agents/runtime"
import { type Budget, type Dispatch, type Json, type JsonObject, RouseError, type TypeManifest } from "@rouse/protocol"
import type { ErrorObject, ValidateFunction } from "ajv"
import type { TypeRecord } from "../core/type-catalog.ts"

/** One version of an entity type as the control plane knows it: everything but how a wake of it is run. */
export interface ServedType {
  readonly name: string
  readonly description: string
  readonly version: string | undefined
  readonly dispatch: Dispatch
  /** The author's collections, by name. */
  readonly state: Readonly<Record<string, unknown>>
  /** Milliseconds that a wake may go without a commit. */
  readonly timeout: number | undefined
  readonly attempts: number | undefined
  readonly concurrency: number | undefined
  readonly budget: Budget | undefined
  /** JSON Schema of the arguments, where there is one. */
  readonly args: JsonObject | undefined
  /** JSON Schema of what people and apps send, where there is one. */
  readonly message: JsonObject | undefined
  /** @throws {RouseError} `INVALID_ARGS` naming the path and the rule. */
  checkArgs(args: unknown): Promise<JsonObject>
  /** Of a type that says what people and apps may send. @throws {RouseError} `INVALID_ARGS` naming the path and the rule. */
  readonly checkMessage?: ((content: Json) => Promise<void>) | undefined
  /** What runs in this process; undefined where the handler is elsewhere. */
  readonly definition?: EntityDefinition
}

/** How many problems of one value are named in an error. */
const ISSUES_SHOWN_MAX = 5

/** A type that this process runs itself. */
export function localType(definition: EntityDefinition, { args, message }: TypeManifest): ServedType {
  const { name, description, state, timeout, attempts, concurrency, budget } = definition
  return {
    name,
    description,
    version: undefined,
    dispatch: { kind: "local" },
    state,
    timeout,
    attempts,
    concurrency,
    budget,
    args,
    message,
    checkArgs: (given) => validateArgs(definition, given),
    checkMessage: definition.message && ((content) => validateMessage(definition, content)),
    definition,
  }
}

/** A type whose handler is elsewhere. */
export function remoteType(record: TypeRecord): ServedType {
  const { name, description = "", version, dispatch, timeoutMs, attempts, concurrency, budget, args, message } = record
  let check: ReturnType<typeof compile> | undefined
  let checkSent: ReturnType<typeof compile> | undefined
  return {
    name,
    description,
    version,
    dispatch,
    state: Object.fromEntries((record.collections ?? []).map((collection) => [collection, true])),
    timeout: timeoutMs,
    attempts,
    concurrency,
    budget,
    args,
    message,
    checkMessage: message && (async (content) => (await (checkSent ??= compile("content", message)))(content)),
    checkArgs: async (given) => {
      if (typeof given !== "object" || given === null || Array.isArray(given))
        throw new RouseError("INVALID_ARGS", "args: must be an object", { details: { path: "args" } })
      if (args !== undefined) (await (check ??= compile("args", args)))(given)
      return given as JsonObject
    },
  }
}

/**
 * Checks that the schemas of a type's arguments and messages can be used.
 *
 * @throws {RouseError} `INVALID_ARGS`.
 */
export async function checkSchema(manifest: TypeManifest): Promise<void> {
  const { name, args, message } = manifest
  if (args?.["type"] !== undefined && args["type"] !== "object")
    throw new RouseError("INVALID_ARGS", `args: the schema of ${name}'s arguments must be of an object`)
  if (args !== undefined) await compile("args", args)
  if (message !== undefined) await compile("message", message)
}

/** Only a server that checks arguments of types elsewhere loads what that takes. */
async function compile(field: string, schema: JsonObject): Promise<(value: unknown) => void> {
  let validate: ValidateFunction
  try {
    validate = await validatorOf(schema)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "it cannot be compiled"
    throw new RouseError("INVALID_ARGS", `${field}: is not a JSON Schema that can be used: ${why}`, { cause })
  }
  return (value) => {
    if (validate(value)) return
    const issues = validate.errors ?? []
    const [first] = issues
    throw new RouseError(
      "INVALID_ARGS",
      issues
        .slice(0, ISSUES_SHOWN_MAX)
        .map((issue) => `${pathOf(field, issue)}: ${issue.message ?? "is not valid"}`)
        .join("; "),
      {
        details: { path: first ? pathOf(field, first) : field },
      },
    )
  }
}

const OPTIONS = { strict: false, allErrors: true, validateFormats: false, logger: false } as const

async function validatorOf(schema: JsonObject): Promise<ValidateFunction> {
  const dialect = typeof schema["$schema"] === "string" ? schema["$schema"] : ""
  if (dialect.includes("/2020-12/") || dialect.includes("/2019-09/")) {
    const { Ajv2020 } = await import("ajv/dist/2020.js")
    return new Ajv2020(OPTIONS).compile(schema)
  }
  const { Ajv } = await import("ajv")
  return new Ajv(OPTIONS).compile(schema)
}

function pathOf(field: string, { instancePath }: ErrorObject): string {
  return `${field}${instancePath.replaceAll("/", ".")}`
}
