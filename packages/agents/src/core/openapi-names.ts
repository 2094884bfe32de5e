const NAME_CHARS_MAX = 64

/** Names that every model provider takes, each once: what may not stand in one becomes `_`. */
export function toolNames(ids: readonly string[], prefix: string): readonly string[] {
  const seen = new Set<string>()
  return ids.map((id) => {
    const clean = `${prefix}${id}`.replace(/[^A-Za-z0-9_-]+/g, "_").replace(/^_+|_+$/g, "") || "operation"
    let name = clean.slice(0, NAME_CHARS_MAX)
    for (let n = 2; seen.has(name); n += 1) name = `${clean.slice(0, NAME_CHARS_MAX - String(n).length - 1)}_${n}`
    seen.add(name)
    return name
  })
}
