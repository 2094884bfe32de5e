import type { Json, JsonObject, SharedAnswers, SharedCollection, SharedOp, SharedRequest } from "@rouse/protocol"
import { jsonSchema, objectSchema, platformTool } from "./platform-tools.ts"
import type { SharedSchema, SpaceToolsOptions } from "./shared.ts"
import { tool } from "./tool.ts"
import type { Tool } from "./tool.ts"

/** How the tools reach the space. */
export interface SpaceHost {
  /** Makes the space, if it is not there. */
  open(): Promise<unknown>
  ask<R extends SharedRequest>(request: R): Promise<SharedAnswers[R["kind"]]>
}

/** Rows that the model is shown at once. */
const ROWS_SHOWN = 50

/**
 * Tools for the model, made of a space's collections. What they write is part of the commit that holds their result, so a crash neither
 * loses nor doubles it; a write that is refused fails its call alone, with the reason, and the model can do better.
 */
export function spaceTools(
  space: string,
  schema: SharedSchema,
  host: SpaceHost,
  { collections, readOnly = false }: SpaceToolsOptions = {},
): readonly Tool[] {
  const shown = Object.entries(schema.definition.collections).filter(([name]) => collections?.includes(name) ?? true)
  return shown.flatMap(([name, collection]) => {
    const of = new CollectionTools(space, schema.name, name, collection, host)
    return readOnly ? of.reads() : [...of.reads(), ...of.writes()]
  })
}

class CollectionTools {
  readonly #space: string
  readonly #kind: string
  readonly #name: string
  readonly #collection: SharedCollection
  readonly #host: SpaceHost

  constructor(space: string, kind: string, name: string, collection: SharedCollection, host: SpaceHost) {
    this.#space = space
    this.#kind = kind
    this.#name = name
    this.#collection = collection
    this.#host = host
  }

  reads(): readonly Tool[] {
    const at = { space: this.#space, collection: this.#name }
    return [
      tool({
        name: this.#called("list"),
        description: `List ${this.#what()}, by key, ${ROWS_SHOWN} at a time; where: only those whose properties equal these. With next there may be more, after it, also when the list is empty. Each has its version, and who has claimed it.`,
        input: objectSchema<{ where?: JsonObject; after?: string }>([]),
        inputSchema: jsonSchema({ where: { type: "object" }, after: TEXT }, []),
        effect: "pure",
        execute: ({ where, after }) => {
          const query = { limit: ROWS_SHOWN, ...(where ? { where } : {}), ...(after ? { after } : {}) }
          return this.#host.ask({ kind: "list", ...at, query })
        },
      }),
      tool({
        name: this.#called("get"),
        description: `Read one of ${this.#what()}, with its version. Null when there is none.`,
        input: objectSchema<{ key: string }>(["key"]),
        inputSchema: jsonSchema({ key: TEXT }),
        effect: "pure",
        execute: ({ key }) => this.#host.ask({ kind: "get", ...at, key }),
      }),
    ]
  }

  writes(): readonly Tool[] {
    const collection = this.#name
    const { schema, key: keyField, indexes = [] } = this.#collection
    const properties = (schema["properties"] ?? {}) as JsonObject
    const set = { type: "object", properties, additionalProperties: false, description: "The properties to change" }
    const by = indexes.map((fields) => fields.join(" and ")).join(", or ")
    return [
      this.#writing<{ row: JsonObject }>({
        verb: "add",
        description: `Add one to ${this.#what()}. Refused when there is one with this ${keyField}.`,
        properties: { row: schema },
        op: ({ row }) => ({ op: "insert", collection, value: row }),
      }),
      this.#writing<{ key: string; set: JsonObject; version?: number; token?: number }>({
        verb: "update",
        description: `Change one of ${this.#what()}. With version: only if it is still that one. With token: of one that you claimed.`,
        properties: { key: TEXT, set, version: NUMBER, token: NUMBER },
        required: ["key", "set"],
        op: ({ key, set, version, token }) => ({
          ...{ op: "update", collection, key, set },
          ...(version === undefined ? {} : { version }),
          ...(token === undefined ? {} : { token }),
        }),
      }),
      this.#claiming(by),
      this.#writing<{ key: string; token: number; set?: JsonObject }>({
        verb: "complete",
        description: `Say that the work on one of ${this.#what()} that you claimed is done, and what comes of it.`,
        properties: { key: TEXT, token: NUMBER, set },
        required: ["key", "token"],
        op: ({ key, token, set }) => ({ op: "complete", collection, key, token, ...(set ? { set } : {}) }),
      }),
      ...this.#increment(properties),
    ]
  }

  #claiming(by: string): Tool {
    const collection = this.#name
    return tool({
      name: this.#called("claim"),
      description:
        `Take the next of ${this.#what()} to work on, that nobody else has. The answer has the token to complete it with; an empty list: there is none.` +
        (by === "" ? "" : ` where: only those with this ${by}.`),
      input: objectSchema<{ where?: JsonObject; limit?: number }>([]),
      inputSchema: jsonSchema({ where: { type: "object" }, limit: NUMBER }, []),
      // The claim is known by the call: asked again, it is answered with the same rows.
      effect: "idempotent",
      execute: ({ where, limit }, { idempotencyKey }) => {
        const claim = {
          collection,
          id: idempotencyKey.slice(-256),
          ...(where ? { where } : {}),
          ...(limit ? { limit } : {}),
        }
        return this.#host.ask({ kind: "claim", space: this.#space, claim })
      },
    })
  }

  #increment(properties: JsonObject): readonly Tool[] {
    const collection = this.#name
    const numbers = Object.entries(properties).filter(([, value]) => isNumber(value))
    if (numbers.length === 0) return []
    const field = { type: "string", enum: numbers.map(([name]) => name) }
    return [
      this.#writing<{ key: string; field: string; by?: number }>({
        verb: "increment",
        description: `Add to a number of one of ${this.#what()}; others may do so at the same time.`,
        properties: { key: TEXT, field, by: { type: "number", description: "1 when left out" } },
        required: ["key", "field"],
        op: ({ key, field, by = 1 }) => ({ op: "increment", collection, key, field, by }),
      }),
    ]
  }

  #writing<T extends object>(options: {
    readonly verb: string
    readonly description: string
    readonly properties: JsonObject
    readonly required?: readonly (keyof T & string)[]
    readonly op: (input: T) => SharedOp
  }): Tool {
    const { verb, description, properties, op } = options
    const required = options.required ?? (Object.keys(properties) as (keyof T & string)[])
    return platformTool<T>({
      name: this.#called(verb),
      description,
      input: objectSchema<T>(required),
      inputSchema: jsonSchema(properties, [...required]),
      prepare: async (input) => {
        await this.#host.open()
        return { delivery: { shared: { space: this.#space, ops: [op(input)] } }, output: { done: true } satisfies Json }
      },
    })
  }

  #called(verb: string): string {
    return `${this.#name}_${verb}`.slice(-64)
  }

  #what(): string {
    return `the ${this.#name} of the shared ${this.#kind}`
  }
}

const TEXT = { type: "string" } as const
const NUMBER = { type: "integer" } as const

function isNumber(schema: Json | undefined): boolean {
  const type = (schema as JsonObject | undefined)?.["type"]
  return type === "number" || type === "integer"
}
