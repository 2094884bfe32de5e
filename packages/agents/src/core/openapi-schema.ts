import type { Json, JsonObject } from "@rouse/protocol"
import { isNode, listOf, nodeOf, resolved } from "./openapi-node.ts"
import type { Node, Warn } from "./openapi-node.ts"

/** Parts that one schema may have once its references are written out: a larger one goes on as anything. */
const PARTS_MAX = 2_000
const DEPTH_MAX = 32

const LISTS = ["allOf", "anyOf", "oneOf", "prefixItems"]
const SINGLES = ["items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else"]
const MAPS = ["properties", "patternProperties", "dependentSchemas"]
const PLAIN = [
  "type",
  "title",
  "description",
  "enum",
  "const",
  "default",
  "format",
  "multipleOf",
  "maximum",
  "exclusiveMaximum",
  "minimum",
  "exclusiveMinimum",
  "maxLength",
  "minLength",
  "pattern",
  "maxItems",
  "minItems",
  "uniqueItems",
  "maxContains",
  "minContains",
  "maxProperties",
  "minProperties",
  "required",
  "dependentRequired",
]

/**
 * A schema of a document as one JSON Schema (2020-12) without references, which every model provider takes: they are written out, and cut
 * with a warning where they lead back to where they came from. What OpenAPI 3.0 says otherwise is said anew.
 */
export function schemaOf(root: Node, schema: unknown, warn: Warn): JsonObject {
  const writer = new SchemaWriter(root, warn)
  const written = writer.write(schema, [])
  return isNode(written) ? written : {}
}

class SchemaWriter {
  readonly #root: Node
  readonly #warn: Warn
  #parts = 0

  constructor(root: Node, warn: Warn) {
    this.#root = root
    this.#warn = warn
  }

  /** @param within References that this one is in, outermost first. */
  write(schema: unknown, within: readonly string[], depth = 0): Json {
    if (typeof schema === "boolean") return schema ? {} : { not: {} }
    if (!isNode(schema)) {
      this.#warn(
        `a schema is ${schema === null ? "null" : Array.isArray(schema) ? "a list" : typeof schema}, not an object`,
      )
      return {}
    }
    this.#parts += 1
    if (this.#parts > PARTS_MAX || depth > DEPTH_MAX) {
      this.#warn(
        `a schema is larger than ${PARTS_MAX} parts or deeper than ${DEPTH_MAX}; what goes on is not described`,
      )
      return {}
    }
    const ref = schema["$ref"]
    return typeof ref === "string"
      ? this.#writeRef(schema, ref, within, depth)
      : this.#writePlain(schema, within, depth)
  }

  #writeRef(schema: Node, ref: string, within: readonly string[], depth: number): Json {
    if (within.includes(ref)) {
      this.#warn(`the schema ${ref} holds itself; it is described once`)
      return { description: `As ${ref.split("/").at(-1) ?? ref} above.` }
    }
    const target = resolved(this.#root, schema, this.#warn)
    if (target === undefined) return {}
    const written = this.write(target, [...within, ref], depth + 1)
    const { description } = schema
    return typeof description === "string" && isNode(written) ? { ...written, description } : written
  }

  #writePlain(schema: Node, within: readonly string[], depth: number): Json {
    const out: Record<string, Json> = {}
    for (const name of PLAIN) if (schema[name] !== undefined) out[name] = schema[name] as Json
    for (const name of LISTS) {
      if (schema[name] !== undefined) out[name] = listOf(schema[name]).map((one) => this.write(one, within, depth + 1))
    }
    for (const name of SINGLES) {
      if (schema[name] !== undefined) out[name] = this.write(schema[name], within, depth + 1)
    }
    for (const name of MAPS)
      if (schema[name] !== undefined) out[name] = this.#writeMap(nodeOf(schema[name]), within, depth)
    this.#dropReadOnly(schema, out)
    this.#sayAnew(schema, out)
    return out
  }

  #writeMap(map: Node, within: readonly string[], depth: number): Json {
    return Object.fromEntries(Object.entries(map).map(([name, one]) => [name, this.write(one, within, depth + 1)]))
  }

  /** What only a service may set is no part of what it is sent. */
  #dropReadOnly(schema: Node, out: Record<string, Json>): void {
    const properties = out["properties"]
    if (!isNode(properties)) return
    const readOnly = Object.entries(nodeOf(schema["properties"])).flatMap(([name, one]) =>
      nodeOf(resolved(this.#root, one, () => undefined))["readOnly"] === true ? [name] : [],
    )
    if (readOnly.length === 0) return
    out["properties"] = Object.fromEntries(
      Object.entries(properties).filter(([name]) => !readOnly.includes(name)),
    ) as Json
    out["required"] = listOf(out["required"]).filter((name) => !readOnly.includes(String(name))) as Json
  }

  #sayAnew(schema: Node, out: Record<string, Json>): void {
    for (const [bound, exclusive] of [
      ["minimum", "exclusiveMinimum"],
      ["maximum", "exclusiveMaximum"],
    ] as const) {
      if (typeof out[exclusive] !== "boolean") continue
      const isExclusive = out[exclusive]
      delete out[exclusive]
      const value = out[bound]
      if (!isExclusive || value === undefined) continue
      out[exclusive] = value
      delete out[bound]
    }
    if (schema["nullable"] === true) {
      if (typeof out["type"] === "string") out["type"] = [out["type"], "null"]
      if (Array.isArray(out["enum"]) && !out["enum"].includes(null))
        out["enum"] = [...(out["enum"] as readonly Json[]), null]
    }
    const { pattern } = out
    if (pattern === undefined || (typeof pattern === "string" && isPattern(pattern))) return
    this.#warn(`the pattern ${JSON.stringify(pattern)} cannot be checked`)
    delete out["pattern"]
  }
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, "u") instanceof RegExp
  } catch {
    // Another dialect of regular expressions.
    return false
  }
}
