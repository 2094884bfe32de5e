import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4Prompt,
  LanguageModelV4StreamPart,
} from "@ai-sdk/provider"
import type { Json } from "@rouse/protocol"

/** What a scripted model says in one step: a text, or more than that. */
export type ScriptedStep = string | ScriptedAnswer

export interface ScriptedAnswer {
  readonly reasoning?: string
  readonly text?: string
  readonly calls?: readonly { readonly tool: string; readonly input: Json; readonly id?: string }[]
  /** Fails like a provider, with this HTTP status, before anything streams. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Cuts the connection after the text and calls. */
  readonly cut?: boolean
  /** Awaited before the answer streams: for what happens meanwhile. */
  readonly before?: () => unknown
  readonly usage?: { readonly input: number; readonly output: number }
}

/** A step, or several for the tries of the same step: the last one is repeated. */
export type ScriptEntry = ScriptedStep | readonly ScriptedStep[]

/** The script as a list, or a function of the prompt and the number of answers that it holds. */
export type Script = readonly ScriptEntry[] | ((prompt: LanguageModelV4Prompt, answers: number) => ScriptEntry)

export interface ScriptedModel extends LanguageModelV4 {
  /** Every call so far. */
  readonly calls: readonly LanguageModelV4CallOptions[]
}

/**
 * A model that says what a test tells it to. Which step of the script is next follows from the prompt (how many answers of the model
 * it holds), so that an agent that goes on after a crash finds its place again.
 */
export function scriptedModel(script: Script): ScriptedModel {
  const calls: LanguageModelV4CallOptions[] = []
  const tries = new Map<string, number>()
  return {
    specificationVersion: "v4",
    provider: "test",
    modelId: "scripted",
    supportedUrls: {},
    calls,
    doGenerate: () => Promise.reject(new Error("a scripted model only streams")),
    doStream: async (options) => {
      calls.push(options)
      const answer = pick(script, options.prompt, tries)
      await answer.before?.()
      if (answer.status !== undefined) throw refusal(answer.status, answer.headers ?? {})
      return { stream: streamOf(answer, options) }
    },
  }
}

function pick(script: Script, prompt: LanguageModelV4Prompt, tries: Map<string, number>): ScriptedAnswer {
  const answers = prompt.filter((message) => message.role === "assistant").length
  const entry = typeof script === "function" ? script(prompt, answers) : script[answers]
  if (entry === undefined) throw new Error(`the scripted model has no step ${answers + 1}`)
  if (!isList(entry)) return typeof entry === "string" ? { text: entry } : entry
  const key = JSON.stringify(prompt)
  const tried = tries.get(key) ?? 0
  tries.set(key, tried + 1)
  const step = entry[Math.min(tried, entry.length - 1)] ?? ""
  return typeof step === "string" ? { text: step } : step
}

function isList(entry: ScriptEntry): entry is readonly ScriptedStep[] {
  return Array.isArray(entry)
}

function refusal(statusCode: number, responseHeaders: Readonly<Record<string, string>>): Error {
  return Object.assign(new Error(`the scripted model fails with ${statusCode}`), { statusCode, responseHeaders })
}

function streamOf(
  answer: ScriptedAnswer,
  { prompt }: LanguageModelV4CallOptions,
): ReadableStream<LanguageModelV4StreamPart> {
  const at = prompt.length
  const parts: LanguageModelV4StreamPart[] = [{ type: "stream-start", warnings: [] }]
  if (answer.reasoning !== undefined) parts.push(...block("reasoning", "r", answer.reasoning))
  if (answer.text !== undefined) parts.push(...block("text", "t", answer.text))
  for (const [i, call] of (answer.calls ?? []).entries()) {
    const input = typeof call.input === "string" ? call.input : JSON.stringify(call.input)
    parts.push({ type: "tool-call", toolCallId: call.id ?? `call_${at}_${i}`, toolName: call.tool, input })
  }
  if (!answer.cut) parts.push(finish(answer))
  return new ReadableStream({
    pull(controller) {
      const part = parts.shift()
      if (part) controller.enqueue(part)
      else if (answer.cut) controller.error(new TypeError("terminated"))
      else controller.close()
    },
  })
}

function block(kind: "text" | "reasoning", id: string, text: string): LanguageModelV4StreamPart[] {
  const half = Math.ceil(text.length / 2)
  return [
    { type: `${kind}-start`, id },
    { type: `${kind}-delta`, id, delta: text.slice(0, half) },
    { type: `${kind}-delta`, id, delta: text.slice(half) },
    { type: `${kind}-end`, id },
  ]
}

function finish(answer: ScriptedAnswer): LanguageModelV4StreamPart {
  const { input, output } = answer.usage ?? { input: 10, output: 5 }
  return {
    type: "finish",
    finishReason: { unified: (answer.calls ?? []).length > 0 ? "tool-calls" : "stop", raw: undefined },
    usage: {
      inputTokens: { total: input, noCache: input, cacheRead: undefined, cacheWrite: undefined },
      outputTokens: { total: output, text: output, reasoning: undefined },
    },
  }
}
