import { isNode, nodeOf, resolved, textIn } from "./openapi-node.ts"
import type { Node, Warn } from "./openapi-node.ts"

/** How one scheme of a document is met. */
export type Scheme =
  | { readonly kind: "apiKey"; readonly in: "header" | "query" | "cookie"; readonly name: string }
  | { readonly kind: "bearer" }
  | { readonly kind: "basic" }
  | { readonly kind: "oauth2"; readonly tokenUrl: string | undefined; readonly scopes: readonly string[] }

/**
 * The schemes that an operation's requests must meet: those of the first alternative that all have credentials. An empty list: none.
 *
 * @param given Names of the schemes that there are credentials for.
 */
export function schemesFor(
  root: Node,
  alternatives: readonly Node[],
  given: ReadonlySet<string>,
  warn: Warn,
): readonly (readonly [name: string, scheme: Scheme])[] {
  if (alternatives.length === 0) return []
  const met = alternatives.find(
    (one) => Object.keys(one).length > 0 && Object.keys(one).every((name) => given.has(name)),
  )
  if (met === undefined) {
    if (!alternatives.some((one) => Object.keys(one).length === 0)) {
      warn(
        `there are no credentials for ${alternatives.map((one) => Object.keys(one).join(" and ")).join(", or ")}: give auth`,
      )
    }
    return []
  }
  return Object.entries(met).flatMap(([name, scopes]) => {
    const scheme = schemeOf(root, name, Array.isArray(scopes) ? scopes.map(String) : [], warn)
    return scheme === undefined ? [] : [[name, scheme] as const]
  })
}

function schemeOf(root: Node, name: string, scopes: readonly string[], warn: Warn): Scheme | undefined {
  const raw = resolved(root, nodeOf(nodeOf(root["components"])["securitySchemes"])[name], warn)
  if (!isNode(raw)) return unsupported(warn, name, "is not described")
  const type = textIn(raw, "type")
  const scheme = textIn(raw, "scheme")?.toLowerCase()
  if (type === "http" && scheme === "bearer") return { kind: "bearer" }
  if (type === "http" && scheme === "basic") return { kind: "basic" }
  if (type === "apiKey") {
    const [place, key] = [textIn(raw, "in"), textIn(raw, "name")]
    const isPlace = place === "header" || place === "query" || place === "cookie"
    return isPlace && key !== undefined
      ? { kind: "apiKey", in: place, name: key }
      : unsupported(warn, name, "does not say where its key goes")
  }
  if (type === "oauth2" || type === "openIdConnect") {
    const flow = nodeOf(nodeOf(raw["flows"])["clientCredentials"])
    return { kind: "oauth2", tokenUrl: textIn(flow, "tokenUrl"), scopes }
  }
  return unsupported(warn, name, `is of type ${[type, scheme].filter(Boolean).join(" ")}, which is not supported`)
}

function unsupported(warn: Warn, name: string, rule: string): undefined {
  warn(`the security scheme ${name} ${rule}`)
  return undefined
}
