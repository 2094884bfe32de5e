import { RouseError, SPACE_COLLECTIONS } from "@rouse/protocol"
import type { JsonObject, SharedCollection, SharedDefinition, SharedHeld, SharedRow } from "@rouse/protocol"
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { isSchema, jsonSchemaOf } from "./core/validate.ts"
import { Spaces } from "./space.ts"
import { SPACES, type SpacesOf } from "./spaces-of.ts"
import type { Tool } from "./tool.ts"

/** A collection of a shared space, as its author declares it. */
export interface SharedCollectionSpec<S extends StandardSchemaV1 = StandardSchemaV1> {
  /** Of a row: an object. It must be one that can be shown as JSON Schema, by which the server checks what anybody writes. */
  readonly schema: S
  /** The property that holds a row's key. */
  readonly key: string
  /** Properties, or several together, by which rows may be asked for when they are claimed. */
  readonly indexes?: readonly (string | readonly string[])[]
}

export type SharedSpec = Readonly<Record<string, SharedCollectionSpec>>

/** What a kind of shared space holds. Made by `defineShared`; given to `ctx.shared`. */
export interface SharedSchema<S extends SharedSpec = SharedSpec> {
  readonly name: string
  readonly collections: S
  /** The same as the server keeps it. */
  readonly definition: SharedDefinition
  readonly [SPACES]: SpacesOf
}

/** A shared space as a handler has it: its collections by name, and tools of them for the model. */
export type Space<S extends SharedSpec = SharedSpec> = {
  readonly [K in keyof S]: SharedRows<StandardSchemaV1.InferOutput<S[K]["schema"]>>
} & {
  /** Tools by which the model reads and writes the space: list, get, add, update, claim, complete, increment of each collection. */
  tools(options?: SpaceToolsOptions): readonly Tool[]
}

export interface SpaceToolsOptions {
  /** Collections that the model is shown. All when absent. */
  readonly collections?: readonly string[]
  /** Whether it may only look. False when absent. */
  readonly readOnly?: boolean
}

/** Asks for rows to work on. */
export interface ClaimOptions {
  /** Exactly the properties of one index, with what they are to equal. */
  readonly where?: JsonObject
  /** 1 when absent, 100 at most. */
  readonly limit?: number
  /** How long they are held unless renewed, milliseconds. A minute when absent. */
  readonly leaseMs?: number
}

/** What a write rests on: the row's version, or the claim that the writer has. */
export type Expected = number | SharedHeld<unknown> | undefined

/**
 * The rows of one collection of a space, which others write too. Reads are of the newest committed; each write is part of one of the wake's
 * commits, exactly once however often the handler is retried, and durable when its promise resolves.
 *
 * A write that is refused rejects, and changes nothing else: `CONFLICT` when the row has another version (`details` has it, and the
 * `value` as JSON text), `ALREADY_CLAIMED` when somebody else has the row, `CLAIM_LOST` when the claim was not renewed in time and another
 * has it, `NOT_FOUND`, `ALREADY_EXISTS`, `INVALID_ARGS` naming the property.
 *
 * @see docs/shared.md
 */
export interface SharedRows<T> {
  get(key: string): Promise<SharedRow<T> | undefined>
  /** Rows by key, a page at a time: 100 when `limit` is absent, 1,000 at most. */
  list(options?: {
    readonly where?: JsonObject
    readonly after?: string
    readonly limit?: number
  }): Promise<readonly SharedRow<T>[]>
  insert(...rows: readonly T[]): Promise<void>
  /** Replaces the properties that `set` names: if the row is as `expected` says, or whatever it is when that is undefined. */
  update(key: string, expected: Expected, set: Partial<T>): Promise<void>
  delete(key: string, expected?: Expected): Promise<void>
  /** Adds to a number: never conflicts, also not with a claim. */
  increment(key: string, field: keyof T & string, by?: number): Promise<void>
  /** Takes rows that nobody has. A retried handler is given the same ones. */
  claim(options?: ClaimOptions): Promise<readonly SharedHeld<T>[]>
  /** Ends a claim and the row's work with it: no claim finds the row again. */
  complete(row: SharedHeld<T>, set?: Partial<T>): Promise<void>
  /** Gives a claim back: the row is for the next to claim it. */
  release(row: SharedHeld<T>): Promise<void>
  /** Holds a claim from now on for `leaseMs`: a minute when absent. */
  renew(row: SharedHeld<T>, leaseMs?: number): Promise<void>
}

const COLLECTION = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/
const TAKEN: ReadonlySet<string> = new Set([...SPACE_COLLECTIONS, "tools", "then"])

/**
 * Declares what a kind of shared space holds.
 *
 * ```ts
 * const board = defineShared("board", {
 *   collections: { tasks: { schema: z.object({ id: z.string(), title: z.string() }), key: "id" } },
 * })
 * ```
 *
 * @throws {RouseError} `INVALID_ARGS` naming the option that is wrong.
 * @see DESIGN §5
 */
export function defineShared<const S extends SharedSpec>(
  name: string,
  options: { readonly collections: S },
): SharedSchema<S> {
  const entries = Object.entries(options.collections).map(
    ([collection, spec]) => [collection, wireOf(name, collection, spec)] as const,
  )
  const definition = { collections: Object.fromEntries(entries) }
  const spaces: SpacesOf = (session, scopes) => new Spaces(session, scopes)
  return { name, collections: options.collections, definition, [SPACES]: spaces }
}

function wireOf(name: string, collection: string, spec: Partial<SharedCollectionSpec>): SharedCollection {
  const field = `collections.${collection}`
  if (!COLLECTION.test(collection)) fail(name, field, "must begin with a letter and hold only letters, digits, _ and -")
  if (TAKEN.has(collection)) fail(name, field, "is taken; choose another name")
  if (!isSchema(spec.schema)) return fail(name, `${field}.schema`, "must be a Standard Schema, such as z.object({ … })")
  if (typeof spec.key !== "string" || spec.key === "") {
    return fail(name, `${field}.key`, "must name the property that holds a row's key")
  }
  const schema = jsonSchemaOf(spec.schema)
  if (schema === undefined) return fail(name, `${field}.schema`, "cannot be shown as JSON Schema (zod can, since 4.2)")
  const indexes = (spec.indexes ?? []).map((index) => (typeof index === "string" ? [index] : index))
  return { schema, key: spec.key, ...(indexes.length > 0 ? { indexes } : {}) }
}

function fail(name: unknown, field: string, rule: string): never {
  throw new RouseError("INVALID_ARGS", `shared ${JSON.stringify(name)}: ${field} ${rule}`, { details: { field } })
}
