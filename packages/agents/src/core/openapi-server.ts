import { isNode, nodeOf, textIn } from "./openapi-node.ts"

/** The address that a server of a document has, with its variables filled. Undefined when it is none. */
export function serverUrl(
  server: unknown,
  variables: Readonly<Record<string, string>>,
  base: string | undefined,
): URL | undefined {
  if (!isNode(server)) return undefined
  const described = nodeOf(server["variables"])
  const text = (textIn(server, "url") ?? "").replace(/\{([^{}]+)\}/g, (whole, name: string) => {
    return variables[name] ?? textIn(nodeOf(described[name]), "default") ?? whole
  })
  if (text.includes("{") || !URL.canParse(text, base)) return undefined
  const url = new URL(text, base)
  return url.protocol === "https:" || url.protocol === "http:" ? url : undefined
}
