import { HANDLER_COLLECTIONS, RouseError, SERVER_COLLECTIONS, isEntityType } from "@rouse/protocol"
import type { ApprovalRule, Budget, EntityShape, Json, JsonObject, Shaped } from "@rouse/protocol"
import type { StandardSchemaV1 } from "@standard-schema/spec"
import type { Context, Wake } from "./context.ts"
import { checkTerms } from "./core/approval-terms.ts"
import { checkBudget } from "./core/check-budget.ts"
import { isSchema } from "./core/validate.ts"
import { registry } from "./registry.ts"

/** One of the author's collections: the schema of its rows, and which property is a row's key. */
export interface CollectionSpec<S extends StandardSchemaV1 = StandardSchemaV1> {
  readonly schema: S
  readonly key: string
}

/** Of a type that keeps no rows of its own. */
// oxlint-disable-next-line typescript/no-generated-empty-object-type
export type NoState = Readonly<Record<never, CollectionSpec>>

export type StateSpec = Readonly<Record<string, CollectionSpec>>

export interface EntityOptions<
  A extends StandardSchemaV1,
  S extends StateSpec,
  M extends StandardSchemaV1 = StandardSchemaV1<Json, Json>,
> {
  readonly description?: string
  /** Schema of the arguments that an entity is spawned with. Without it: any JSON object. */
  readonly args?: A
  /**
   * Schema of the messages that people and apps send; a union of objects where there are several kinds. Without it: any JSON. What agents
   * send each other is not checked.
   */
  readonly message?: M
  /** Collections of typed rows that the handler keeps. */
  readonly state?: S
  /** Milliseconds a wake may take. */
  readonly timeout?: number
  /** Attempts of one wake before its messages are dead-lettered. As its host has it when absent: 5. */
  readonly attempts?: number
  /** Wakes of this type that run at the same time on one host. */
  readonly concurrency?: number
  /** What an entity of this type and those below it may use, when whoever spawns it does not say otherwise. */
  readonly budget?: Budget
  /** Rules that ask for approvals of tool calls: the first that matches a call counts, beside what the tool itself asks for. */
  readonly approvals?: readonly ApprovalRule[]
  /** Which version of `state` this is: a whole number from 1, raised when rows of before no longer match. 1 when absent. */
  readonly schema?: number
  /**
   * Makes rows of an older `schema` into those of this one, before the handler runs and in its first commit. A collection that is not returned
   * stays as it is.
   *
   * @param rows Every row of the author's collections, as it was written.
   * @param from The schema that wrote them.
   */
  migrate?(rows: OlderRows, from: number): MigratedRows<S> | Promise<MigratedRows<S>>
  /** What to do when something happened to the entity. Runs again from the top when a wake is retried. */
  handler(ctx: Context<StandardSchemaV1.InferOutput<A>, S>, wake: Wake): unknown
}

/** Rows as another schema wrote them, by collection. */
export type OlderRows = Readonly<Record<string, readonly JsonObject[]>>

/** Rows of this schema, by collection. */
export type MigratedRows<S extends StateSpec> = {
  readonly [K in keyof S]?: readonly StandardSchemaV1.InferInput<S[K]["schema"]>[]
}

/** An entity type: name, schemas, limits and handler. Made by `defineEntity`. */
export interface EntityDefinition<Shape extends EntityShape = EntityShape> extends Shaped<Shape> {
  readonly name: Shape["name"]
  readonly description: string
  readonly args: StandardSchemaV1 | undefined
  readonly message?: StandardSchemaV1 | undefined
  readonly state: StateSpec
  readonly timeout: number | undefined
  readonly attempts: number | undefined
  readonly concurrency: number | undefined
  readonly budget: Budget | undefined
  readonly approvals?: readonly ApprovalRule[] | undefined
  readonly schema?: number
  migrate?(rows: OlderRows, from: number): MigratedRows<StateSpec> | Promise<MigratedRows<StateSpec>>
  handler(ctx: Context<unknown, StateSpec>, wake: Wake): unknown
}

/** What a client knows of the type: see `EntityShape`. */
export interface ShapeOf<
  N extends string,
  A extends StandardSchemaV1,
  S extends StateSpec,
  M extends StandardSchemaV1,
> extends EntityShape {
  readonly name: N
  readonly args: StandardSchemaV1.InferInput<A>
  readonly message: StandardSchemaV1.InferInput<M>
  readonly rows: { readonly [K in keyof S]: StandardSchemaV1.InferOutput<S[K]["schema"]> }
}

/** Attempts of a wake where neither its type nor its host says otherwise. */
export const ATTEMPTS = 5
const TAKEN: ReadonlySet<string> = new Set([...SERVER_COLLECTIONS, ...HANDLER_COLLECTIONS])
const COLLECTION = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/

/**
 * Defines an entity type and registers it in this process. A later definition of the same name replaces it.
 *
 * @throws {RouseError} `INVALID_ARGS` naming the option that is wrong.
 * @see DESIGN §5
 */
export function defineEntity<
  const N extends string,
  A extends StandardSchemaV1 = StandardSchemaV1<JsonObject, JsonObject>,
  S extends StateSpec = NoState,
  M extends StandardSchemaV1 = StandardSchemaV1<Json, Json>,
>(name: N, options: EntityOptions<A, S, M>): EntityDefinition<ShapeOf<N, A, S, M>> {
  check(name, options)
  const definition: EntityDefinition<ShapeOf<N, A, S, M>> = {
    name,
    description: options.description ?? "",
    args: options.args,
    ...(options.message ? { message: options.message } : {}),
    state: options.state ?? {},
    timeout: options.timeout,
    attempts: options.attempts,
    concurrency: options.concurrency,
    budget: options.budget,
    ...(options.approvals ? { approvals: options.approvals } : {}),
    ...(options.schema === undefined ? {} : { schema: options.schema }),
    ...(options.migrate ? { migrate: (rows, from) => options.migrate?.(rows, from) ?? {} } : {}),
    handler: (ctx, wake) => options.handler(ctx as Context<StandardSchemaV1.InferOutput<A>, S>, wake),
  }
  registry().set(name, definition)
  return definition
}

function check(name: string, options: Partial<EntityOptions<StandardSchemaV1, StateSpec, StandardSchemaV1>>): void {
  if (typeof name !== "string" || !isEntityType(name)) {
    fail(
      name,
      "name",
      "must begin with a lower-case letter and hold only lower-case letters, digits, _ and -, at most 64",
    )
  }
  if (typeof options !== "object" || options === null) fail(name, "options", "must be an object with a handler")
  if (typeof options.handler !== "function") fail(name, "handler", "must be a function")
  if (options.args !== undefined && !isSchema(options.args)) fail(name, "args", "must be a Standard Schema")
  if (options.message !== undefined && !isSchema(options.message)) fail(name, "message", "must be a Standard Schema")
  checkCount(name, "timeout", options.timeout)
  checkCount(name, "attempts", options.attempts)
  checkCount(name, "concurrency", options.concurrency)
  checkCount(name, "schema", options.schema)
  if (options.migrate !== undefined && typeof options.migrate !== "function")
    fail(name, "migrate", "must be a function")
  if (options.budget !== undefined) checkBudget(options.budget, (field, rule) => fail(name, field, rule))
  for (const rule of options.approvals ?? [])
    if (rule.require !== false) checkTerms(rule.require, `entity ${JSON.stringify(name)}: approvals ${rule.name}`)
  for (const [collection, spec] of Object.entries(options.state ?? {})) checkCollection(name, collection, spec)
}

function checkCollection(name: string, collection: string, spec: Partial<CollectionSpec>): void {
  const field = `state.${collection}`
  if (TAKEN.has(collection)) fail(name, field, "is the name of a built-in or reserved collection; choose another")
  if (!COLLECTION.test(collection)) fail(name, field, "must begin with a letter and hold only letters, digits, _ and -")
  if (!isSchema(spec.schema)) fail(name, `${field}.schema`, "must be a Standard Schema")
  if (typeof spec.key !== "string" || spec.key === "") {
    fail(name, `${field}.key`, "must name the property that holds a row's key")
  }
}

function checkCount(name: string, field: string, value: number | undefined): void {
  if (value !== undefined && !(Number.isInteger(value) && value > 0))
    fail(name, field, "must be a positive whole number")
}

function fail(name: unknown, field: string, rule: string): never {
  throw new RouseError("INVALID_ARGS", `entity ${JSON.stringify(name)}: ${field} ${rule}`, { details: { field } })
}
