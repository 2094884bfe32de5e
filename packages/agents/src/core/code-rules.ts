import type { Effect, JsonObject } from "@rouse/protocol"

/** What is known of a tool that a script may call. */
export interface CodeToolInfo {
  readonly name: string
  readonly description: string
  readonly inputSchema: JsonObject
}

/**
 * The effect class of a script by those of its tools. `once` if any is: it must not run again. Calls of the other classes carry keys that
 * are the same when the script runs again, and what may be asked about is asked first, so that the script may.
 */
export function codeEffect(effects: readonly Effect[]): Effect {
  if (effects.includes("once")) return "once"
  return effects.every((effect) => effect === "pure") ? "pure" : "idempotent"
}

const SHOWN_CHARS_MAX = 600

/** What the model is told: how scripts are written, and the tools that they have. */
export function codeDescription(tools: readonly CodeToolInfo[], limits: string): string {
  const head =
    "Run JavaScript: the body of an async function; what it returns is the result. It has the language and console.log, and no network, files, " +
    `timers or imports. ${limits}`
  if (tools.length === 0) return head
  const list = tools.map(({ name, description, inputSchema }) => {
    const shown = `${description} Input: ${JSON.stringify(inputSchema)}`
    return `- await tools.${name}(input): ${shown.length > SHOWN_CHARS_MAX ? `${shown.slice(0, SHOWN_CHARS_MAX)}…` : shown}`
  })
  return `${head}\nIt may call these tools, each with one object:\n${list.join("\n")}`
}

/** What a script threw, in words. The first line of its source is ours. */
export function codeFailure(thrown: unknown, memoryBytes: number): string {
  if (typeof thrown !== "object" || thrown === null) return String(thrown)
  const { name, message, stack } = thrown as Readonly<Record<string, unknown>>
  if (message === "out of memory") return `it used more than ${memoryBytes} bytes`
  const where = typeof stack === "string" ? /script\.js:(\d+)/.exec(stack) : null
  const line = where === null ? "" : ` (line ${Number(where[1]) - 1})`
  const words = typeof message === "string" ? message : JSON.stringify(thrown)
  return `${typeof name === "string" ? `${name}: ` : ""}${words}${line}`
}

/** A number in [0, 1) a call, the same numbers for the same seed (mulberry32). As source, since the isolate runs it. */
export const SEEDED_RANDOM = `(seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}`

/** A seed of 32 bits from a text. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash | 0
}
