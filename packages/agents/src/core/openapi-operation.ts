import type { Effect, Json, JsonObject } from "@rouse/protocol"
import { isNode, listOf, nodeOf, resolved, textIn } from "./openapi-node.ts"
import type { Node, Warn } from "./openapi-node.ts"
import { schemaOf } from "./openapi-schema.ts"

/** Where a parameter goes, and how it is written. */
export interface Parameter {
  /** Its name in the request, and in the tool's input. */
  readonly name: string
  readonly field: string
  readonly in: "path" | "query" | "header" | "cookie"
  readonly style: string
  readonly explode: boolean
  /** Whether it is written as JSON. */
  readonly isJson: boolean
}

export type BodyKind = "json" | "form" | "multipart" | "text"

/** One operation of a document, as a tool needs it. */
export interface Operation {
  /** Its `operationId`, or its method and path. */
  readonly id: string
  readonly method: string
  readonly path: string
  readonly summary: string
  readonly tags: readonly string[]
  readonly parameters: readonly Parameter[]
  readonly body: { readonly kind: BodyKind; readonly contentType: string } | undefined
  readonly inputSchema: JsonObject
  readonly effect: Effect
  /** Servers that the operation or its path names. */
  readonly servers: readonly unknown[]
  /** Alternatives; of each all schemes are needed. */
  readonly security: readonly Node[]
}

const METHODS = ["get", "head", "post", "put", "patch", "delete"]
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD"])
const IDEMPOTENT: ReadonlySet<string> = new Set(["PUT", "DELETE"])
const EFFECTS: ReadonlySet<string> = new Set(["pure", "idempotent", "reconcilable", "once"])
/** Headers that a document may name and that are not the caller's to set. */
const OWN_HEADERS: ReadonlySet<string> = new Set(["accept", "content-type", "authorization", "content-length", "host"])
const DESCRIPTION_CHARS_MAX = 1_024
const STYLES: Readonly<Record<Parameter["in"], readonly string[]>> = {
  path: ["simple"],
  query: ["form", "spaceDelimited", "pipeDelimited", "deepObject"],
  header: ["simple"],
  cookie: ["form"],
}

/** Every operation of a document that can be a tool. The others are warned of, each with its reason. */
export function operationsOf(root: Node, warn: Warn): readonly Operation[] {
  const found: Operation[] = []
  for (const [path, raw] of Object.entries(nodeOf(root["paths"]))) {
    const item = resolved(root, raw, warn)
    if (!isNode(item) || !path.startsWith("/")) {
      if (!path.startsWith("x-"))
        warn(`the path ${JSON.stringify(path)} is left out: it is not described by an object, or has no /`)
      continue
    }
    for (const method of METHODS) {
      if (item[method] === undefined) continue
      const operation = operationOf(root, path, item, method, warn)
      if (operation !== undefined) found.push(operation)
    }
    for (const method of ["options", "trace"]) {
      if (item[method] !== undefined) warn(`${method.toUpperCase()} ${path} is left out: such requests are not made`)
    }
  }
  return found
}

/** `undefined` when it cannot be called. */
function operationOf(root: Node, path: string, item: Node, method: string, warn: Warn): Operation | undefined {
  const name = `${method.toUpperCase()} ${path}`
  const say: Warn = (warning) => warn(`${name}: ${warning}`)
  const raw = item[method]
  if (!isNode(raw)) return leftOut(say, "it is not described by an object")
  const id = textIn(raw, "operationId") ?? name
  if (raw["operationId"] === undefined) say("has no operationId; its method and path are its name")
  if (raw["callbacks"] !== undefined) say("its callbacks are not listened to")
  const described = [...listOf(item["parameters"]), ...listOf(raw["parameters"])].map((one) => resolved(root, one, say))
  const parameters = new Parameters(root, say)
  for (const one of described) parameters.add(one)
  const unfilled = [...path.matchAll(/\{([^{}]+)\}/g)].find(([, field]) => !parameters.hasPath(field ?? ""))
  if (unfilled) return leftOut(say, `its path has ${unfilled[0]}, which is no parameter that can be filled`)
  const body = bodyOf(root, raw["requestBody"], say)
  if (body === "unsupported") return leftOut(say, "it needs a body of a type that cannot be written")
  return {
    id,
    method: method.toUpperCase(),
    path,
    summary: descriptionOf(raw, item, name),
    tags: listOf(raw["tags"]).filter((tag) => typeof tag === "string"),
    parameters: parameters.list,
    body: body === undefined ? undefined : { kind: body.kind, contentType: body.contentType },
    inputSchema: parameters.schema(body),
    effect: effectOf(method.toUpperCase(), raw, parameters.hasIdempotencyKey, say),
    servers: listOf(raw["servers"] ?? item["servers"]),
    security: listOf(raw["security"] ?? root["security"]).filter(isNode),
  }
}

function leftOut(warn: Warn, reason: string): undefined {
  warn(`is left out: ${reason}`)
  return undefined
}

/** The parameters of one operation, and the schema of its tool's input. A later one replaces one of the same name and place. */
class Parameters {
  readonly #root: Node
  readonly #warn: Warn
  readonly #known = new Map<
    string,
    { readonly parameter: Parameter; readonly schema: JsonObject; readonly isRequired: boolean }
  >()
  hasIdempotencyKey = false

  constructor(root: Node, warn: Warn) {
    this.#root = root
    this.#warn = warn
  }

  get list(): readonly Parameter[] {
    const seen = new Map<string, number>()
    return [...this.#known.values()].map(({ parameter }) => {
      const before = seen.get(parameter.name) ?? 0
      seen.set(parameter.name, before + 1)
      const isTaken = before > 0 || parameter.name === "body"
      return isTaken ? { ...parameter, field: `${parameter.name}_${parameter.in}` } : parameter
    })
  }

  hasPath(name: string): boolean {
    return this.#known.has(`path ${name}`)
  }

  add(raw: unknown): void {
    if (!isNode(raw)) return this.#warn("a parameter is not an object, and is left out")
    const name = textIn(raw, "name")
    const place = textIn(raw, "in")
    if (name === undefined || !isPlace(place))
      return this.#warn(`the parameter ${JSON.stringify(name)} in ${JSON.stringify(place)} is left out`)
    if (place === "header" && OWN_HEADERS.has(name.toLowerCase())) return
    if (place === "header" && name.toLowerCase() === "idempotency-key") {
      this.hasIdempotencyKey = true
      return
    }
    const style = textIn(raw, "style") ?? (place === "query" || place === "cookie" ? "form" : "simple")
    if (!STYLES[place].includes(style))
      return this.#warn(`the parameter ${name} is left out: its style ${style} cannot be written`)
    const content = Object.entries(nodeOf(raw["content"]))[0]
    if (content !== undefined && !isJsonType(content[0])) {
      return this.#warn(`the parameter ${name} is left out: ${content[0]} cannot be written there`)
    }
    const described = content === undefined ? raw["schema"] : nodeOf(content[1])["schema"]
    const schema = schemaOf(this.#root, described ?? {}, this.#warn)
    const description = textIn(raw, "description")
    this.#known.set(`${place} ${name}`, {
      parameter: { name, field: name, in: place, style, explode: explodeOf(raw, style), isJson: content !== undefined },
      schema: description === undefined ? schema : { ...schema, description },
      isRequired: raw["required"] === true || place === "path",
    })
  }

  schema(body: Body | undefined): JsonObject {
    const properties: Record<string, Json> = {}
    const required: string[] = []
    const known = [...this.#known.values()]
    this.list.forEach(({ field }, i) => {
      properties[field] = known[i]?.schema ?? {}
      if (known[i]?.isRequired) required.push(field)
    })
    if (body !== undefined) {
      properties["body"] = body.schema
      if (body.isRequired) required.push("body")
    }
    return { type: "object", properties, ...(required.length > 0 ? { required } : {}), additionalProperties: false }
  }
}

function explodeOf(raw: Node, style: string): boolean {
  return typeof raw["explode"] === "boolean" ? raw["explode"] : style === "form" || style === "deepObject"
}

function isPlace(place: string | undefined): place is Parameter["in"] {
  return place === "path" || place === "query" || place === "header" || place === "cookie"
}

interface Body {
  readonly kind: BodyKind
  readonly contentType: string
  readonly schema: JsonObject
  readonly isRequired: boolean
}

function bodyOf(root: Node, raw: unknown, warn: Warn): Body | "unsupported" | undefined {
  if (raw === undefined) return undefined
  const body = resolved(root, raw, warn)
  if (!isNode(body)) {
    warn("its body is not described by an object, and is left out")
    return undefined
  }
  const isRequired = body["required"] === true
  const types = Object.keys(nodeOf(body["content"]))
  const contentType = ["json", "form", "multipart", "text"]
    .map((kind) => types.find((type) => kindOf(type) === kind))
    .find(Boolean)
  const kind = contentType === undefined ? undefined : kindOf(contentType)
  if (contentType === undefined || kind === undefined) {
    warn(`its body is ${types.join(" or ") || "of no type"}, which cannot be written`)
    return isRequired ? "unsupported" : undefined
  }
  const media = nodeOf(nodeOf(body["content"])[contentType])
  const schema = schemaOf(root, media["schema"] ?? {}, warn)
  const description = textIn(body, "description")
  return {
    kind,
    contentType: kind === "json" && contentType.includes("*") ? "application/json" : contentType,
    schema: description === undefined || schema["description"] !== undefined ? schema : { ...schema, description },
    isRequired,
  }
}

function isJsonType(type: string): boolean {
  return /^(application|text)\/json\b|\+json\b|^\*\/\*$|^application\/\*$/.test(type)
}

function kindOf(type: string): BodyKind | undefined {
  if (isJsonType(type)) return "json"
  if (type.startsWith("application/x-www-form-urlencoded")) return "form"
  if (type.startsWith("multipart/form-data")) return "multipart"
  return type.startsWith("text/") ? "text" : undefined
}

function descriptionOf(operation: Node, item: Node, name: string): string {
  const parts = [textIn(operation, "summary") ?? textIn(item, "summary"), textIn(operation, "description")]
  const text = [...new Set(parts.filter((part) => part !== undefined && part.trim() !== ""))].join("\n\n") || name
  return `${operation["deprecated"] === true ? "Deprecated. " : ""}${text}`.slice(0, DESCRIPTION_CHARS_MAX)
}

/** By the method, unless the document says more: `x-rouse-effect`, `x-idempotency`, or a header for the key. */
function effectOf(method: string, operation: Node, hasKey: boolean, warn: Warn): Effect {
  const said = operation["x-rouse-effect"]
  if (typeof said === "string" && EFFECTS.has(said) && said !== "reconcilable") return said as Effect
  if (said !== undefined)
    warn(
      `x-rouse-effect ${JSON.stringify(said)} is not pure, idempotent or once; reconcilable needs the option reconcile`,
    )
  if (SAFE.has(method)) return "pure"
  if (IDEMPOTENT.has(method) || hasKey) return "idempotent"
  const idempotency = operation["x-idempotency"] ?? operation["x-idempotent"]
  return idempotency === true || isNode(idempotency) || typeof idempotency === "string" ? "idempotent" : "once"
}
