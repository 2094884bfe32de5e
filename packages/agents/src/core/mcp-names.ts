const NAME_CHARS_MAX = 64
const UNSAFE = /[^A-Za-z0-9_-]/g

/**
 * Names that every model provider accepts for a server's tools: `{prefix}_{name}`, at most 64 characters. A name that had to be changed or
 * cut carries a digest of the whole one, so that two tools never share a name and none depends on which others there are.
 */
export function mcpToolName(prefix: string, name: string): string {
  const whole = `${prefix}_${name}`
  const safe = whole.replace(UNSAFE, "_")
  if (safe === whole && whole.length <= NAME_CHARS_MAX) return whole
  const digest = digestOf(whole)
  return `${safe.slice(0, NAME_CHARS_MAX - digest.length - 1)}_${digest}`
}

/** FNV-1a, 32 bits: names apart, not secrets. */
function digestOf(text: string): string {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0
  }
  return hash.toString(36).padStart(7, "0")
}
