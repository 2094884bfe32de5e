import type {
  JSONValue,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ToolResultOutput,
  SharedV4ProviderOptions,
} from "@ai-sdk/provider"
import type { JsonObject } from "@rouse/protocol"
import type { AssistantPart, CallResult, Turn } from "./conversation.ts"

/** Where a provider that caches prompts on request may end a cached prefix: after the system prompt, after a summary, and at the end. */
const BREAKPOINT: SharedV4ProviderOptions = { anthropic: { cacheControl: { type: "ephemeral" } } }

/** A conversation in the AI SDK's terms, in cache order: what changes least comes first. */
export function toPrompt(system: string, turns: readonly Turn[]): LanguageModelV4Prompt {
  const prompt: LanguageModelV4Message[] = turns.map((turn, i) => toMessage(turn, i === turns.length - 1))
  if (system.trim() !== "") prompt.unshift({ role: "system", content: system, providerOptions: BREAKPOINT })
  return prompt
}

function toMessage(turn: Turn, last: boolean): LanguageModelV4Message {
  const options = last ? { providerOptions: BREAKPOINT } : {}
  switch (turn.role) {
    case "user":
      return {
        role: "user",
        content: turn.texts.map((text, i) => toText(text, turn.summary === true && i === 0)),
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
          output: toOutput(result.outcome),
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

function toOutput(outcome: CallResult["outcome"]): LanguageModelV4ToolResultOutput {
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
