import { RouseError } from "@rouse/protocol"
import { fillUrl, textOf } from "./http-url.ts"
import { isNode } from "./openapi-node.ts"
import type { Operation, Parameter } from "./openapi-operation.ts"

/** The parts of a request that an operation's input makes. */
export interface Written {
  readonly path: string
  /** Without `?`; empty for none. */
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: { readonly contentType: string; readonly text: string } | undefined
}

/**
 * Writes an operation's input as its request, each parameter in its style (OpenAPI 3.1 §4.8.12).
 *
 * @throws {RouseError} `INVALID_ARGS` naming the field that cannot be written.
 */
export function writeRequest(operation: Operation, input: Readonly<Record<string, unknown>>): Written {
  const path: Record<string, string> = {}
  const query: string[] = []
  const headers: Record<string, string> = {}
  const cookies: string[] = []
  const lists = new Set<string>()
  for (const parameter of operation.parameters) {
    const value = input[parameter.field]
    if (value === undefined) continue
    if (parameter.in === "path") {
      path[parameter.name] = simple(parameter, value)
      if (typeof value === "object" && !parameter.isJson) lists.add(parameter.name)
    } else if (parameter.in === "header") headers[parameter.name.toLowerCase()] = headerValue(parameter, value)
    else (parameter.in === "query" ? query : cookies).push(...pairsOf(parameter, value))
  }
  if (cookies.length > 0) headers["cookie"] = cookies.join("; ")
  const body = operation.body === undefined ? undefined : input["body"]
  return {
    // The commas of a list or an object are its style, and of no parameter that is a text.
    path: fillUrl(operation.path, path, lists),
    query: query.join("&"),
    headers,
    body: body === undefined || operation.body === undefined ? undefined : bodyOf(operation.body, body),
  }
}

function simple({ isJson, explode }: Parameter, value: unknown): string {
  if (isJson) return JSON.stringify(value)
  if (Array.isArray(value)) return value.map(textOf).join(",")
  if (!isNode(value)) return textOf(value)
  return Object.entries(value)
    .map(([name, one]) => `${name}${explode ? "=" : ","}${textOf(one)}`)
    .join(",")
}

function headerValue(parameter: Parameter, value: unknown): string {
  const text = simple(parameter, value)
  if (/^[\t\x20-\x7e]*$/.test(text)) return text
  throw new RouseError("INVALID_ARGS", `input.${parameter.field} must be printable ASCII: it is a header`)
}

const SEPARATORS: Readonly<Record<string, string>> = { form: ",", spaceDelimited: "%20", pipeDelimited: "%7C" }

function pairsOf({ name, style, explode, isJson }: Parameter, value: unknown): readonly string[] {
  const key = encodeURIComponent(name)
  if (isJson) return [`${key}=${encodeURIComponent(JSON.stringify(value))}`]
  const separator = SEPARATORS[style] ?? ","
  if (Array.isArray(value)) {
    const texts = value.map((one) => encodeURIComponent(textOf(one)))
    if (texts.length === 0) return []
    return explode ? texts.map((text) => `${key}=${text}`) : [`${key}=${texts.join(separator)}`]
  }
  if (!isNode(value)) return [`${key}=${encodeURIComponent(textOf(value))}`]
  const entries = Object.entries(value).map(
    ([field, one]) => [encodeURIComponent(field), encodeURIComponent(textOf(one))] as const,
  )
  if (style === "deepObject") return entries.map(([field, text]) => `${key}%5B${field}%5D=${text}`)
  if (explode) return entries.map(([field, text]) => `${field}=${text}`)
  return [`${key}=${entries.map((entry) => entry.join(separator)).join(separator)}`]
}

function bodyOf({ kind, contentType }: NonNullable<Operation["body"]>, value: unknown): Written["body"] {
  switch (kind) {
    case "json":
      return { contentType, text: JSON.stringify(value) }
    case "text":
      return { contentType, text: textOf(value) }
    case "form":
      return { contentType, text: formOf(value) }
    case "multipart":
      return multipartOf(value)
  }
}

function fieldsOf(value: unknown): readonly (readonly [string, unknown])[] {
  if (!isNode(value)) throw new RouseError("INVALID_ARGS", "input.body must be an object: it is a form")
  return Object.entries(value).flatMap(([name, one]) =>
    Array.isArray(one) ? (one as readonly unknown[]).map((each) => [name, each] as const) : [[name, one] as const],
  )
}

function formOf(value: unknown): string {
  return new URLSearchParams(fieldsOf(value).map(([name, one]) => [name, textOf(one)])).toString()
}

/** The same input always gives the same bytes, so that a repeated request is the same request. */
function multipartOf(value: unknown): NonNullable<Written["body"]> {
  const parts = fieldsOf(value).map(([name, one]) => {
    const type = typeof one === "object" && one !== null ? "\r\nContent-Type: application/json" : ""
    const quoted = name.replace(/["\r\n]/g, (char) => encodeURIComponent(char))
    return `Content-Disposition: form-data; name="${quoted}"${type}\r\n\r\n${textOf(one)}\r\n`
  })
  let boundary = "rouse-form"
  while (parts.some((part) => part.includes(`--${boundary}`))) boundary += "-x"
  const text = `${parts.map((part) => `--${boundary}\r\n${part}`).join("")}--${boundary}--\r\n`
  return { contentType: `multipart/form-data; boundary=${boundary}`, text }
}
