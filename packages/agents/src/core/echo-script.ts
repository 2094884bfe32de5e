import type { LanguageModelV4Message, LanguageModelV4Prompt, LanguageModelV4ToolResultPart } from "@ai-sdk/provider"

export type EchoPiece =
  | { readonly kind: "text" | "reasoning"; readonly text: string }
  | { readonly kind: "call"; readonly id: string; readonly name: string; readonly input: string }
  | { readonly kind: "usage"; readonly input: number; readonly output: number }

export interface EchoAnswer {
  readonly pieces: readonly EchoPiece[]
  readonly slowMs?: number
  readonly failStatus?: number
}

const COMMAND = /^\/(say|think|call|spawn|send|slow|fail|then)(?:\s+(.*))?$/
const CHARS_A_TOKEN = 4
const QUOTE_CHARS_MAX = 2_000
const RESULT_CHARS_MAX = 500

/** What `rouse/echo` answers to a prompt. Pure: see `echoModel` for the syntax. */
export function answerOf(prompt: LanguageModelV4Prompt): EchoAnswer {
  const asked = prompt.findLastIndex((message) => message.role === "user")
  const since = prompt.slice(asked + 1)
  const done = since.filter((message) => message.role === "assistant").length
  const text = textOf(prompt[asked])
  const script = steps(text)
  const lines = script?.[done]
  const answer = lines ? perform(lines, done) : { pieces: [{ kind: "text" as const, text: summary(text, since) }] }
  const shown = answer.pieces.length > 0 ? answer.pieces : [{ kind: "text" as const, text: "Done." }]
  return { ...answer, pieces: [...shown, usage(prompt, shown)] }
}

type Command = { readonly name: string; readonly rest: string }

/** The commands of each step; undefined when the text has none. */
function steps(text: string): readonly (readonly Command[])[] | undefined {
  const commands = text.split("\n").flatMap((line) => {
    const match = COMMAND.exec(line.trim())
    return match ? [{ name: match[1] as string, rest: (match[2] ?? "").trim() }] : []
  })
  if (commands.length === 0) return undefined
  const all: Command[][] = [[]]
  for (const command of commands) {
    if (command.name === "then") all.push([])
    else all.at(-1)?.push(command)
  }
  return all
}

function perform(commands: readonly Command[], step: number): EchoAnswer {
  const pieces = commands.flatMap((command, i) => pieceOf(command, `echo_${step}_${i}`))
  const slow = commands.findLast((command) => command.name === "slow")
  const fail = commands.findLast((command) => command.name === "fail")
  return {
    pieces: [
      ...pieces.filter((piece) => piece.kind === "reasoning"),
      ...pieces.filter((piece) => piece.kind !== "reasoning"),
    ],
    ...(slow ? { slowMs: Number(slow.rest) || 0 } : {}),
    ...(fail ? { failStatus: Number(fail.rest) || 500 } : {}),
  }
}

function pieceOf({ name, rest }: Command, id: string): EchoPiece[] {
  const [first = "", second = ""] = rest.split(/\s+/)
  const after = (count: number): string => rest.split(/\s+/).slice(count).join(" ")
  const call = (tool: string, input: string): EchoPiece[] => [{ kind: "call", id, name: tool, input }]
  switch (name) {
    case "say":
      return [{ kind: "text", text: rest }]
    case "think":
      return [{ kind: "reasoning", text: rest }]
    case "call":
      return call(first, rest.slice(first.length).trim() || "{}")
    case "spawn":
      return call("spawn", JSON.stringify({ type: first, id: second, message: after(2) }))
    case "send":
      return call("send", JSON.stringify({ to: first, content: after(1) }))
    default:
      return []
  }
}

function summary(asked: string, since: readonly LanguageModelV4Message[]): string {
  const results = since.flatMap((message) =>
    message.role === "tool" ? message.content.filter((part) => part.type === "tool-result") : [],
  )
  if (results.length === 0) return `You said: ${clip(asked, QUOTE_CHARS_MAX)}`
  return `Done.\n${results.map((result) => `- ${result.toolName}: ${clip(resultText(result), RESULT_CHARS_MAX)}`).join("\n")}`
}

function resultText({ output }: LanguageModelV4ToolResultPart): string {
  switch (output.type) {
    case "text":
    case "error-text":
      return output.value
    case "execution-denied":
      return output.reason ?? "denied"
    case "json":
    case "error-json":
    case "content":
      return JSON.stringify(output.value, (_, value: unknown) => (value instanceof Uint8Array ? "…" : value))
  }
}

function textOf(message: LanguageModelV4Message | undefined): string {
  if (message?.role !== "user") return ""
  return message.content.map((part) => (part.type === "text" ? part.text : `(${part.mediaType})`)).join("\n")
}

function usage(prompt: LanguageModelV4Prompt, pieces: readonly EchoPiece[]): EchoPiece {
  const chars = prompt.reduce((sum, message) => sum + lengthOf(message), 0)
  const said = pieces.reduce(
    (sum, piece) => sum + (piece.kind === "usage" ? 0 : piece.kind === "call" ? piece.input.length : piece.text.length),
    0,
  )
  return { kind: "usage", input: Math.ceil(chars / CHARS_A_TOKEN), output: Math.ceil(said / CHARS_A_TOKEN) }
}

function lengthOf(message: LanguageModelV4Message): number {
  if (message.role === "system") return message.content.length
  let chars = 0
  for (const part of message.content) chars += lengthOfPart(part)
  return chars
}

/** Bytes of files do not count: they are no text. */
function lengthOfPart(part: { readonly type: string; readonly text?: string }): number {
  if (part.type === "text" || part.type === "reasoning") return part.text?.length ?? 0
  return JSON.stringify(part, (_, value: unknown) => (value instanceof Uint8Array ? "" : value)).length
}

function clip(text: string, chars: number): string {
  return text.length > chars ? `${text.slice(0, chars)}…` : text
}
