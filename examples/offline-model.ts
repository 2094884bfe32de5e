import type { AgentOptions } from "@rouse/agents"
import { setTimeout as sleep } from "node:timers/promises"

type Model = Exclude<AgentOptions["model"], string>
type Answer = Awaited<ReturnType<Model["doStream"]>>
type Part = Answer["stream"] extends ReadableStream<infer P> ? P : never

export interface OfflineReply {
  readonly text: string
  readonly call?: { readonly tool: string; readonly input: object }
}

/**
 * A model for an example that is to be tried without a key: it says what a function of the last message answers.
 * Between two words it waits `OFFLINE_MS` milliseconds, 40 when that is not set, so that a person sees them come.
 *
 * @param answer Given the message's words, and what tools have answered to it since: a refused call's is undefined.
 */
export function offlineModel(answer: (words: string, results: readonly unknown[]) => OfflineReply): Model {
  const paceMs = Number(process.env["OFFLINE_MS"] ?? 40)
  return {
    specificationVersion: "v4",
    provider: "example",
    modelId: "offline",
    supportedUrls: {},
    doGenerate: () => Promise.reject(new Error("it only streams")),
    doStream: async ({ prompt, abortSignal }) => {
      const last = prompt.findLastIndex(({ role }) => role === "user")
      const since = prompt.slice(last)
      const asked = since.flatMap((message) => (message.role === "user" ? message.content : []))
      const words = asked.flatMap((part) => (part.type === "text" ? [part.text] : [])).join(" ")
      const answered = since.flatMap((message) => (message.role === "tool" ? message.content : []))
      const results = answered.flatMap((part) => (part.type === "tool-result" ? [part.output] : []))
      const values = results.map((output) => (output.type === "json" ? output.value : undefined))
      const parts = partsOf(answer(words, values), results.length)
      const stream = new ReadableStream<Part>({
        async pull(controller) {
          const part = parts.shift()
          if (part === undefined) return controller.close()
          if (part.type === "text-delta") await sleep(paceMs, undefined, abortSignal && { signal: abortSignal })
          controller.enqueue(part)
        },
      })
      return { stream }
    },
  }
}

function partsOf({ text, call }: OfflineReply, step: number): Part[] {
  const words = text.match(/\s*\S+/g) ?? []
  return [
    { type: "stream-start", warnings: [] },
    { type: "text-start", id: "text" },
    ...words.map((delta): Part => ({ type: "text-delta", id: "text", delta })),
    { type: "text-end", id: "text" },
    ...(call ? [toolCall(call, step)] : []),
    {
      type: "finish",
      finishReason: { unified: call ? "tool-calls" : "stop", raw: undefined },
      usage: {
        inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
        outputTokens: { total: words.length, text: words.length, reasoning: undefined },
      },
    },
  ]
}

function toolCall({ tool, input }: NonNullable<OfflineReply["call"]>, step: number): Part {
  return { type: "tool-call", toolCallId: `${tool}-${step}`, toolName: tool, input: JSON.stringify(input) }
}
