import type {
  JSONValue,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ToolResultOutput,
  SharedV4ProviderOptions,
} from "@ai-sdk/provider"
import type { JsonObject } from "@rouse/protocol"
import type { AssistantPart, CallResult, Turn } from "./conversation.ts"
import type { FileSupply } from "./files.ts"

/** Where a provider that caches prompts on request may end a cached prefix: after the system prompt, after a summary, and at the end. */
const BREAKPOINT: SharedV4ProviderOptions = { anthropic: { cacheControl: { type: "ephemeral" } } }

/** What a prompt shows of files: nothing beside their names, where a supply has none. */
export interface PromptFiles {
  /** In messages. */
  readonly messages: FileSupply
  /** In results of tools. */
  readonly results: FileSupply
}

/** Files are only named. */
export const NO_FILES: PromptFiles = { messages: () => undefined, results: () => undefined }

/** A conversation in the AI SDK's terms, in cache order: what changes least comes first. */
export function toPrompt(system: string, turns: readonly Turn[], files: PromptFiles = NO_FILES): LanguageModelV4Prompt {
  const prompt: LanguageModelV4Message[] = turns.map((turn, i) => toMessage(turn, i === turns.length - 1, files))
  if (system.trim() !== "") prompt.unshift({ role: "system", content: system, providerOptions: BREAKPOINT })
  return prompt
}

function toMessage(turn: Turn, last: boolean, files: PromptFiles): LanguageModelV4Message {
  const options = last ? { providerOptions: BREAKPOINT } : {}
  switch (turn.role) {
    case "user":
      return {
        role: "user",
        content: turn.texts.flatMap((text, i) => {
          const part = toText(text, turn.summary === true && i === 0)
          const file = turn.files?.find(({ after }) => after === i)?.file
          const shown = file && files.messages(file)
          return shown === undefined ? [part] : [part, shown]
        }),
        ...options,
      }
    case "assistant":
      return { role: "assistant", content: turn.parts.map(toPart) }
    case "tool":
      return {
        role: "tool",
        content: turn.results.map((result) => ({
          type: "tool-result",
          toolCallId: result.id,
          toolName: result.name,
          output: toOutput(result, files.results),
        })),
        ...options,
      }
  }
}

function toText(
  text: string,
  cached: boolean,
): { type: "text"; text: string; providerOptions?: SharedV4ProviderOptions } {
  return { type: "text", text, ...(cached ? { providerOptions: BREAKPOINT } : {}) }
}

function toPart(part: AssistantPart): Extract<LanguageModelV4Message, { role: "assistant" }>["content"][number] {
  const options = part.metadata === undefined ? {} : { providerOptions: asOptions(part.metadata) }
  if (part.kind !== "call") return { type: part.kind, text: part.text, ...options }
  return { type: "tool-call", toolCallId: part.id, toolName: part.name, input: part.input, ...options }
}

function toOutput({ outcome, files = [] }: CallResult, supply: FileSupply): LanguageModelV4ToolResultOutput {
  const shown = files.flatMap((file) => supply(file) ?? [])
  if (shown.length > 0 && outcome.kind === "value") {
    const { value } = outcome
    const text = typeof value === "string" ? value : JSON.stringify(value)
    return { type: "content", value: [{ type: "text", text }, ...shown] }
  }
  switch (outcome.kind) {
    case "value":
      return typeof outcome.value === "string"
        ? { type: "text", value: outcome.value === "" ? "(no output)" : outcome.value }
        : { type: "json", value: outcome.value as JSONValue }
    case "error":
      return { type: "error-text", value: outcome.text }
    case "denied":
      return { type: "execution-denied", reason: deniedText(outcome.note) }
  }
}

function deniedText(note: string): string {
  return `A person did not allow this call.${note === "" ? "" : ` ${note}`}`
}

function asOptions(metadata: JsonObject): SharedV4ProviderOptions {
  return metadata as SharedV4ProviderOptions
}
