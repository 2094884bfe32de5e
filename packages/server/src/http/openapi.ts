import { ERRORS, type ErrorCode } from "@rouse/protocol"
import { json, jsonObject } from "@rouse/protocol/schemas"
import { z } from "zod"
import { ANSWERS } from "./answers/answers.ts"
import { isOpen, scopeOf } from "./gate.ts"
import type { AnswerBody, Operation } from "./operations/operation.ts"
import { OPERATIONS } from "./operations/operations.ts"
import { STREAM_NOTE } from "./operations/streams.ts"
import { refusalsOf } from "./refusals.ts"

type Schema = Readonly<Record<string, unknown>>

const JSON_TYPE = "application/json"
const PROBLEM_TYPE = "application/problem+json"
const SETTINGS = { io: "input", unrepresentable: "any", target: "draft-2020-12", override: lean } as const

/** Leaves out what says nothing: how a time is spelled that has a format, and how far a number goes. */
function lean({ jsonSchema }: { readonly jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.format === "date-time") delete jsonSchema.pattern
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
}

const WORDS: Readonly<Record<number, string>> = {
  200: "Done",
  201: "Made",
  202: "Accepted: it is on disk",
  204: "Done",
  206: "A part",
  304: "Not changed",
}

/** The OpenAPI 3.1 document of the whole API, made of the operations that its routes are mounted by. */
export function openapiDocument(version: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of OPERATIONS) (paths[operation.path] ??= {})[operation.method] = operationObject(operation)
  return {
    openapi: "3.1.1",
    info: {
      title: "Rouse",
      version,
      description:
        "Agents as durable logs. Refusals are problem documents (RFC 9457) with a stable `code`. Every mutating operation with an `Idempotency-Key` is done once for that key.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    tags: [...new Set(OPERATIONS.map(({ tag }) => tag))].map((name) =>
      name === "streams" ? { name, description: STREAM_NOTE } : { name },
    ),
    paths,
    components: {
      schemas: components(),
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          description:
            "A token of the server's; `read`, `write`, `work` and `admin` are scopes. A server without tokens answers to its own machine only.",
        },
        claim: { type: "http", scheme: "bearer", description: "The claim that came with a wake." },
      },
    },
  }
}

function operationObject(operation: Operation): object {
  const { id, tag, summary, description, seeAlso } = operation
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(seeAlso === undefined ? {} : { externalDocs: { url: seeAlso } }),
    security: securityOf(operation),
    ...nonEmpty({ parameters: parametersOf(operation) }),
    ...requestOf(operation),
    responses: { ...answersOf(operation), ...refusedOf(operation) },
  }
}

/** The gate says who may; nothing else does. */
function securityOf({ method, path, proof = "token" }: Operation): readonly object[] {
  if (proof === "claim") return [{ claim: [] }]
  if (proof !== "token" || isOpen(method.toUpperCase(), path, { tokens: [] })) return []
  return [{ token: [scopeOf(method.toUpperCase(), path)] }]
}

function parametersOf(operation: Operation): readonly object[] {
  const names = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
  const headers = {
    ...(operation.once ? { "Idempotency-Key": "1 to 255 characters: the same request with it is done once." } : {}),
    ...operation.headers,
  }
  return [
    ...names.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } })),
    ...(operation.query ? queryOf(operation.query) : []),
    ...Object.entries(headers).map(([name, description]) => ({
      ...{ name, in: "header", description },
      schema: { type: "string" },
    })),
  ]
}

function queryOf(query: z.ZodType): readonly object[] {
  const { properties = {} } = z.toJSONSchema(query, SETTINGS)
  return Object.entries(properties).map(([name, schema]) => {
    const { description, ...rest } = schema as Schema
    return { name, in: "query", ...(description === undefined ? {} : { description }), schema: rest }
  })
}

function requestOf({ id, body, upload }: Operation): object {
  if (upload !== undefined) return { requestBody: { content: { [upload]: {} } } }
  if (!body) return {}
  const required = !body.safeParse({}).success
  return { requestBody: { required, content: { [JSON_TYPE]: { schema: ref(bodyName(id)) } } } }
}

/** What the schema of an operation's body is called. */
function bodyName(id: string): string {
  return `${id.charAt(0).toUpperCase()}${id.slice(1)}Body`
}

function answersOf({ answers, answerHeaders = {} }: Operation): Record<string, object> {
  const all = Object.entries(answers).map(([status, body]): [string, object] => {
    const headers = Object.entries(answerHeaders[Number(status)] ?? {})
    const described = headers.map(([name, description]) => [name, { description, schema: { type: "string" } }])
    return [
      status,
      {
        description: WORDS[Number(status)] ?? "Done",
        ...(headers.length > 0 ? { headers: Object.fromEntries(described) } : {}),
        ...contentOf(body),
      },
    ]
  })
  return Object.fromEntries(all)
}

function contentOf(body: AnswerBody): object {
  if (body === null) return {}
  const byType = typeof body === "string" ? { [JSON_TYPE]: body } : body
  const content = Object.entries(byType).map(([type, shape]) => [type, mediaOf(shape)])
  return { content: Object.fromEntries(content) }
}

function mediaOf(shape: string): object {
  if (shape === "bytes") return {}
  return { schema: shape === "events" ? { type: "string" } : ref(shape) }
}

function refusedOf(operation: Operation): Record<string, object> {
  const byStatus = Map.groupBy(refusalsOf(operation), (code) => ERRORS[code].status)
  const isOpenai = operation.tag === "openai"
  const entries = [...byStatus].map(([status, codes]): [string, object] => [
    String(status),
    {
      description: codes.map((code) => `\`${code}\`: ${ERRORS[code].title}`).join(". "),
      ...headersOf(status),
      ...(operation.method === "head"
        ? {}
        : {
            content: isOpenai
              ? { [JSON_TYPE]: { schema: ref("ChatError") } }
              : { [PROBLEM_TYPE]: { schema: problemOf(codes) } },
          }),
    },
  ])
  return Object.fromEntries(entries)
}

function problemOf(codes: readonly ErrorCode[]): object {
  return { allOf: [ref("Problem"), { properties: { code: { enum: codes } } }] }
}

function headersOf(status: number): object {
  const seconds = { description: "Seconds to wait.", schema: { type: "string" } }
  return status === 429 || status === 503 ? { headers: { "Retry-After": seconds } } : {}
}

/** Every named schema: those of answers, and those that check bodies. */
function components(): Record<string, object> {
  const registry = z.registry<{ id: string }>()
  registry.add(json, { id: "Json" })
  registry.add(jsonObject, { id: "JsonObject" })
  for (const [id, schema] of Object.entries(ANSWERS)) registry.add(schema, { id })
  for (const { id, body } of OPERATIONS) if (body && !registry.has(body)) registry.add(body, { id: bodyName(id) })
  const { schemas } = z.toJSONSchema(registry, { ...SETTINGS, uri: (id) => `#/components/schemas/${id}` })
  const shared = OPERATIONS.flatMap(({ id, body }): [string, object][] => {
    const known = body && registry.get(body)?.id
    return known === undefined || known === bodyName(id) ? [] : [[bodyName(id), ref(known)]]
  })
  const all = Object.entries(schemas).map(([id, { $schema: _schema, $id: _id, ...schema }]) => [id, schema])
  return Object.fromEntries([...all, ...shared]) as Record<string, object>
}

function ref(name: string): { readonly $ref: string } {
  return { $ref: `#/components/schemas/${name}` }
}

function nonEmpty(fields: Readonly<Record<string, readonly object[]>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, list]) => list.length > 0))
}
