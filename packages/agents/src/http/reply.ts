import type { Json } from "@rouse/protocol"

/** A body as JSON, and what is wrong with it. */
export function bodyOf(
  bytes: Uint8Array<ArrayBuffer>,
  contentType: string | undefined,
): { readonly body: Json; readonly problem?: string } {
  if (bytes.length === 0) return { body: null }
  const [type = "", ...parameters] = (contentType ?? "").toLowerCase().split(";")
  const media = type.trim()
  if (!isText(media)) return { body: { contentType: media, bytes: bytes.length } }
  const text = decode(bytes, parameters)
  if (!isJson(media)) return { body: text }
  try {
    return { body: JSON.parse(text) as Json }
  } catch {
    // The caller says so, with what there is.
    return { body: text, problem: "something that is not JSON" }
  }
}

function isJson(media: string): boolean {
  return media === "application/json" || media.endsWith("+json") || media === "text/json"
}

function isText(media: string): boolean {
  if (media === "" || media.startsWith("text/") || isJson(media)) return true
  return /^application\/(xml|javascript|yaml|x-yaml|x-www-form-urlencoded|x-ndjson|graphql|sql)$|\+xml$/.test(media)
}

function decode(bytes: Uint8Array<ArrayBuffer>, parameters: readonly string[]): string {
  const charset = parameters.map((one) => /^\s*charset="?([^"]+)"?\s*$/.exec(one)?.[1]).find((one) => one !== undefined)
  try {
    return new TextDecoder(charset ?? "utf-8").decode(bytes)
  } catch {
    // A character set that this runtime does not know.
    return new TextDecoder().decode(bytes)
  }
}
