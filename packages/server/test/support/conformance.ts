import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js"
import { openapiDocument } from "../../src/http/openapi.ts"
import type { Operation } from "../../src/http/operations/operation.ts"
import { OPERATIONS } from "../../src/http/operations/operations.ts"

type Fetch = (request: Request) => Promise<Response>
type Node = Readonly<Record<string, unknown>>

const matchers = OPERATIONS.map((operation) => ({
  operation,
  parameters: operation.path.split("{").length,
  path: new RegExp(`^${operation.path.replace("{path}", "(?!__ds/).+").replace(/\{\w+\}/g, "[^/]+")}$`),
})).toSorted((a, b) => a.parameters - b.parameters)

/** The operation that a request is for. */
export function operationOf({ method, url }: Pick<Request, "method" | "url">): Operation | undefined {
  const { pathname: raw } = new URL(url)
  // As the router reads it: other spellings of a letter are the same route.
  const pathname = raw.replace(/%[2-7][0-9A-F]/gi, (hex) => decodeURI(hex))
  const of = (name: string): Operation | undefined =>
    matchers.find(({ operation, path }) => operation.method === name && path.test(pathname))?.operation
  return of(method.toLowerCase()) ?? (method === "HEAD" ? of("get") : undefined)
}

const document = exact(openapiDocument("0.0.0") as Node)
const ajv = new Ajv2020({ strict: false, validateFormats: false })
ajv.addSchema(document, "document")
const compiled = new Map<string, ValidateFunction>()

/** What the document says of values at a place of it, with nothing allowed that it does not name. */
function validate(pointer: readonly string[], value: unknown): string | undefined {
  const path = pointer.map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1")).join("/")
  let check = compiled.get(path)
  if (!check) {
    check = ajv.compile({ $ref: `document#/${encodeURI(path)}` })
    compiled.set(path, check)
  }
  return check(value) ? undefined : ajv.errorsText(check.errors)
}

/** Answers may gain fields, so the document lets them; a test wants to hear of each. */
function exact(document: Node): Node {
  const { components } = document as { readonly components: { readonly schemas: Readonly<Record<string, Node>> } }
  const schemas = Object.fromEntries(
    Object.entries(components.schemas).map(([name, schema]) => [name, name.endsWith("Body") ? schema : closed(schema)]),
  )
  return { ...document, components: { ...components, schemas } }
}

function closed(schema: unknown): Node {
  if (Array.isArray(schema)) return schema.map(closed) as unknown as Node
  if (typeof schema !== "object" || schema === null) return schema as Node
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]))
  return "properties" in inner && !("additionalProperties" in inner) ? { ...inner, additionalProperties: false } : inner
}

/** Every status that each operation was seen to answer, in this file's tests. */
export const seen: Map<string, Set<number>> = new Map()

/**
 * Looks at whatever a server answers: it must be what the document says of that operation, and so must be a body that it accepted.
 *
 * @throws {Error} into the test that asked.
 */
export function conforming(fetch: Fetch): Fetch {
  return async (request) => {
    const operation = operationOf(request)
    const text = operation?.body === undefined ? undefined : await request.clone().text()
    const response = await fetch(request)
    if (!operation) return unknown(request, response)
    await checkAnswer(operation, response)
    if (text !== undefined && text !== "" && response.ok) checkBody(operation, text)
    seen.set(operation.id, (seen.get(operation.id) ?? new Set()).add(response.status))
    return response
  }
}

function unknown(request: Request, response: Response): Response {
  const { pathname } = new URL(request.url)
  const isApi = /^\/(v1|openai)\//.test(pathname) && !pathname.startsWith("/v1/stream/")
  if (isApi && response.ok) throw new Error(`${request.method} ${pathname} is answered and is in no document`)
  return response
}

function checkBody({ id, path, method }: Operation, text: string): void {
  const pointer = ["paths", path, method, "requestBody", "content", "application/json", "schema"]
  const wrong = validate(pointer, JSON.parse(text))
  if (wrong !== undefined) throw new Error(`${id} accepted a body that its document does not: ${wrong}`)
}

async function checkAnswer(operation: Operation, response: Response): Promise<void> {
  const { id, path, method, tag } = operation
  if (tag === "streams" && response.ok) return
  const responses = ["paths", path, method, "responses", String(response.status)]
  const type = (response.headers.get("content-type") ?? "").split(";")[0] ?? ""
  const described = at(document, responses)
  const text = type.endsWith("json") && response.body !== null ? await response.clone().text() : ""
  if (!described) throw new Error(`${id} answered ${response.status}, which its document does not know: ${text}`)
  const content = (described["content"] ?? {}) as Readonly<Record<string, Node>>
  if (response.body === null) return
  const media = content[type] ? type : content["*/*"] ? "*/*" : undefined
  if (media === undefined)
    throw new Error(`${id} answered ${response.status} with ${type}, not ${Object.keys(content)}`)
  if (!content[media]?.["schema"] || text === "") return
  const wrong = validate([...responses, "content", media, "schema"], JSON.parse(text))
  if (wrong !== undefined) throw new Error(`${id} answered ${response.status}: ${wrong}: ${text.slice(0, 500)}`)
}

function at(node: Node, pointer: readonly string[]): Node | undefined {
  return pointer.reduce<Node | undefined>((inner, part) => inner?.[part] as Node | undefined, node)
}
