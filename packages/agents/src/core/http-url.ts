import { RouseError } from "@rouse/protocol"

/** Texts of a template's parameters, by name. */
export type Parameters = Readonly<Record<string, unknown>>

const NONE: ReadonlySet<string> = new Set()
const PARAMETER = /\{([^{}]+)\}/g

/** The names in a template such as `/orders/{order}`. */
export function templateNames(template: string): readonly string[] {
  return [...template.matchAll(PARAMETER)].map(([, name]) => name ?? "")
}

/**
 * Puts parameters into the path of a URL template, each as one segment or a part of one: it can neither leave its segment nor the origin.
 *
 * @param lists Parameters whose commas and equals signs stay.
 * @throws {RouseError} `INVALID_ARGS` naming the parameter that is missing or is no segment.
 */
export function fillUrl(template: string, parameters: Parameters, lists: ReadonlySet<string> = NONE): string {
  const filled = template.replace(PARAMETER, (_, name: string) => {
    const value = parameters[name]
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
      throw invalid(name, "must be a text, a number or a boolean: it is a part of the URL")
    }
    if (value === "") throw invalid(name, "must not be empty: it is a part of the URL")
    const encoded = encodeURIComponent(value)
    return lists.has(name) ? encoded.replaceAll("%2C", ",").replaceAll("%3D", "=") : encoded
  })
  const dots = filled.split(/[/?#]/).find((segment) => /^(\.|%2e){1,2}$/i.test(segment))
  if (dots === undefined) return filled
  throw invalid(templateNames(template)[0] ?? "url", "must not be . or ..: it is a part of the URL")
}

/** A parsed URL with a query added. Lists repeat the name; what is undefined or null is left out. */
export function withQuery(url: URL, query: Parameters): URL {
  const out = new URL(url)
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
      if (one !== undefined && one !== null) out.searchParams.append(name, textOf(one))
    }
  }
  return out
}

/** A scalar as it is, anything else as JSON. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "")
}

function invalid(name: string, rule: string): RouseError {
  return new RouseError("INVALID_ARGS", `input.${name} ${rule}`, { details: { path: `input.${name}` } })
}
