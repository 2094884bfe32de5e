/** An object somewhere in a document, before anything is known of it. */
export type Node = Readonly<Record<string, unknown>>

/** What a document gets wrong or this cannot do; the rest of it works. */
export type Warn = (warning: string) => void

export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

export function nodeOf(value: unknown): Node {
  return isNode(value) ? value : {}
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : []
}

export function textIn(node: Node, name: string): string | undefined {
  const value = node[name]
  return typeof value === "string" ? value : undefined
}

/** References that one may go through before it counts as a cycle. */
const REFS_MAX = 32

/**
 * What a node is after its references are followed, within the document (RFC 6901). Undefined when they lead nowhere, in a circle, or to
 * another document.
 */
export function resolved(root: Node, value: unknown, warn: Warn): unknown {
  let at = value
  for (let refs = 0; isNode(at) && typeof at["$ref"] === "string"; refs += 1) {
    const ref = at["$ref"]
    if (refs >= REFS_MAX) return warnAnd(warn, `$ref ${ref} leads in a circle`)
    if (!ref.startsWith("#")) return warnAnd(warn, `$ref ${ref} is in another document, which is not read`)
    at = pointed(root, ref)
    if (at === undefined) return warnAnd(warn, `$ref ${ref} leads nowhere`)
  }
  return at
}

function pointed(root: Node, ref: string): unknown {
  let at: unknown = root
  for (const part of ref.slice(1).split("/").slice(1)) {
    const name = decoded(part).replaceAll("~1", "/").replaceAll("~0", "~")
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return undefined
    at = (at as Node)[name]
  }
  return at
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    // Not an escape: taken as it is.
    return part
  }
}

function warnAnd(warn: Warn, warning: string): undefined {
  warn(warning)
  return undefined
}
