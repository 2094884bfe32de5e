import type { PatternPart } from "./glob.ts"

interface Node {
  readonly literals: Map<string, Node>
  one: Node | undefined
  any: Node | undefined
  /** Whether it stands for `**`: it stays where it is, whatever the segment. */
  readonly loops: boolean
  readonly values: Set<string>
}

/**
 * Many patterns as one tree, so that a path is compared with the patterns that share its beginning and with no others.
 */
export class GlobTrie {
  readonly #root = newNode(false)

  add(pattern: readonly PatternPart[], value: string): void {
    let node = this.#root
    for (const part of pattern) node = childOf(node, part)
    node.values.add(value)
  }

  remove(pattern: readonly PatternPart[], value: string): void {
    prune(this.#root, pattern, 0, value)
  }

  /** The values of all patterns that match. */
  match(path: string): string[] {
    let active = reach(new Set(), this.#root)
    for (const segment of path.split("/")) {
      const next = new Set<Node>()
      for (const node of active) {
        if (node.loops) reach(next, node)
        if (node.one !== undefined) reach(next, node.one)
        const literal = node.literals.get(segment)
        if (literal !== undefined) reach(next, literal)
      }
      if (next.size === 0) return []
      active = next
    }
    return [...new Set([...active].flatMap((node) => [...node.values]))]
  }
}

function newNode(loops: boolean): Node {
  return { literals: new Map(), one: undefined, any: undefined, loops, values: new Set() }
}

/** A node, and what follows it without a segment. */
function reach(active: Set<Node>, node: Node): Set<Node> {
  active.add(node)
  if (node.any !== undefined) active.add(node.any)
  return active
}

function childOf(node: Node, part: PatternPart): Node {
  if (part.kind === "one") return (node.one ??= newNode(false))
  if (part.kind === "any") return (node.any ??= newNode(true))
  const known = node.literals.get(part.text)
  if (known !== undefined) return known
  const child = newNode(false)
  node.literals.set(part.text, child)
  return child
}

/** Removes a value, and the nodes that nothing needs any more. Returns whether the node is one of them. */
function prune(node: Node, pattern: readonly PatternPart[], at: number, value: string): boolean {
  const part = pattern[at]
  if (part === undefined) node.values.delete(value)
  else {
    const child = part.kind === "one" ? node.one : part.kind === "any" ? node.any : node.literals.get(part.text)
    if (child !== undefined && prune(child, pattern, at + 1, value)) {
      if (part.kind === "one") node.one = undefined
      else if (part.kind === "any") node.any = undefined
      else node.literals.delete(part.text)
    }
  }
  return node.values.size === 0 && node.literals.size === 0 && node.one === undefined && node.any === undefined
}
