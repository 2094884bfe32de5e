import type { SourceRow } from "@rouse/protocol"

/** UTF-16 code units that count as a token: an estimate that needs no tokenizer, and never changes. */
const CHARS_A_TOKEN = 4

/** A text within its budget, and what it takes of it. The same text and budget always give the same result. */
export function fitted(text: string, tokensMax: number): { readonly text: string; readonly tokens: number } {
  const tokens = tokensOf(text)
  if (tokens <= tokensMax) return { text, tokens }
  const end = tokensMax * CHARS_A_TOKEN
  const code = text.charCodeAt(end - 1)
  const whole = code >= 0xd800 && code <= 0xdbff ? end - 1 : end
  return { text: `${text.slice(0, whole)}\n[cut: about ${tokensMax} of ${tokens} tokens are shown]`, tokens: tokensMax }
}

/** About how many tokens a text is. */
export function tokensOf(text: string): number {
  return Math.ceil(text.length / CHARS_A_TOKEN)
}

/** The order in a prompt: highest priority first, then by name. */
export function bySource(a: Pick<SourceRow, "priority" | "name">, b: Pick<SourceRow, "priority" | "name">): number {
  return b.priority - a.priority || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
}

/** How a source reads to the model. */
export function renderSource(row: SourceRow): string {
  return `Context ${row.name}:\n${row.text.trim() === "" ? "(empty)" : row.text}`
}
