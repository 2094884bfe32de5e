import { RouseError } from "@rouse/protocol"
import { isNode, textIn } from "../core/openapi-node.ts"
import type { Node } from "../core/openapi-node.ts"
import { readBody } from "../http/read-body.ts"

const DOCUMENT_BYTES_MAX = 32 * 1_048_576
const DOCUMENT_MS_MAX = 30_000

/**
 * An OpenAPI 3 document, from where it is.
 *
 * @param source Its text (JSON or YAML), what that says, or where to fetch it.
 * @throws {RouseError} `INVALID_ARGS` when it is none; `BACKEND_FAILED` when it cannot be fetched.
 */
export async function loadDocument(source: { readonly document: unknown } | { readonly url: string }): Promise<Node> {
  const raw = "url" in source ? await fetched(source.url) : source.document
  const parsed = typeof raw === "string" ? await parse(raw) : raw
  if (!isNode(parsed)) throw invalid("is not an object")
  const version = textIn(parsed, "openapi")
  if (version !== undefined && /^3\.[0-2](\.|$)/.test(version)) return parsed
  const other = textIn(parsed, "swagger")
  throw invalid(
    other === undefined
      ? `is not OpenAPI 3: openapi is ${JSON.stringify(parsed["openapi"]) ?? "missing"}`
      : `is Swagger ${other}: convert it to OpenAPI 3`,
  )
}

async function fetched(url: string): Promise<string> {
  if (!URL.canParse(url))
    throw new RouseError("INVALID_ARGS", `url: ${JSON.stringify(url)} is not a URL`, { details: { field: "url" } })
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(DOCUMENT_MS_MAX),
      headers: { accept: "application/json, */*" },
    })
    const bytes = await readBody(response, DOCUMENT_BYTES_MAX)
    if (response.ok && bytes !== undefined) return new TextDecoder().decode(bytes)
    const why = bytes === undefined ? `is larger than ${DOCUMENT_BYTES_MAX} bytes` : `was answered ${response.status}`
    throw new RouseError("BACKEND_FAILED", `the document at ${new URL(url).origin} ${why}`)
  } catch (error) {
    if (RouseError.is(error)) throw error
    throw new RouseError("BACKEND_FAILED", `the document at ${new URL(url).origin} could not be fetched`, {
      cause: error,
    })
  }
}

/** JSON first, which needs no library. */
async function parse(text: string): Promise<unknown> {
  if (/^\s*[{[]/.test(text)) {
    try {
      return JSON.parse(text)
    } catch {
      // YAML may begin like JSON.
    }
  }
  const { parse: parseYaml } = await import("yaml")
  try {
    return parseYaml(text)
  } catch (error) {
    throw invalid(`is neither JSON nor YAML: ${error instanceof Error ? (error.message.split("\n")[0] ?? "") : ""}`)
  }
}

function invalid(rule: string): RouseError {
  return new RouseError("INVALID_ARGS", `the OpenAPI document ${rule}`, { details: { field: "document" } })
}
