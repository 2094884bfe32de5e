import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from "@ai-sdk/provider"
import { sleep } from "./abort.ts"
import { answerOf } from "./core/echo-script.ts"
import type { EchoPiece } from "./core/echo-script.ts"

export interface EchoOptions {
  /** Milliseconds between two pieces of text, so that a person sees it stream. 0 when absent. */
  readonly paceMs?: number
}

/**
 * `rouse/echo`: a model that runs offline and answers the same every time, for the first minute, demos and tests.
 *
 * Without commands it answers with the last message. Lines of the last message that begin with a command make it do more:
 *
 * | line | does |
 * | --- | --- |
 * | `/say TEXT` | says TEXT |
 * | `/think TEXT` | reasons TEXT first |
 * | `/call TOOL JSON` | calls a tool; several lines are parallel calls; the JSON may be left out |
 * | `/spawn TYPE ID MESSAGE` | calls the `spawn` tool |
 * | `/send URL TEXT` | calls the `send` tool |
 * | `/slow MS` | waits between two pieces of text |
 * | `/fail STATUS` | fails as a provider does, with this HTTP status |
 * | `/then` | what follows belongs to the next step, once the calls above have results |
 *
 * When the steps are done it sums up the results of the calls. Tokens are estimated: four characters each.
 */
export function echoModel(options: EchoOptions = {}): LanguageModelV4 {
  return {
    specificationVersion: "v4",
    provider: "rouse",
    modelId: "echo",
    supportedUrls: {},
    doGenerate: () => Promise.reject(new Error("rouse/echo only streams")),
    doStream: async (call) => {
      const answer = answerOf(call.prompt)
      if (answer.failStatus !== undefined) throw failure(answer.failStatus)
      return { stream: streamOf(answer.pieces, answer.slowMs ?? options.paceMs ?? 0, call) }
    },
  }
}

function failure(status: number): Error {
  return Object.assign(new Error(`rouse/echo was told to fail with ${status}`), { statusCode: status })
}

function streamOf(
  pieces: readonly EchoPiece[],
  paceMs: number,
  call: LanguageModelV4CallOptions,
): ReadableStream<LanguageModelV4StreamPart> {
  const parts = streamParts(pieces)
  if (paceMs === 0) return atOnce(parts)
  let next = 0
  return new ReadableStream<LanguageModelV4StreamPart>({
    async pull(controller) {
      const part = parts[next]
      if (part === undefined) return controller.close()
      next += 1
      if (part.type === "text-delta" || part.type === "reasoning-delta") await sleep(paceMs, call.abortSignal)
      controller.enqueue(part)
    },
  })
}

/** All there is, without a pull for each part. */
function atOnce(parts: readonly LanguageModelV4StreamPart[]): ReadableStream<LanguageModelV4StreamPart> {
  return new ReadableStream<LanguageModelV4StreamPart>({
    start(controller) {
      for (const part of parts) controller.enqueue(part)
      controller.close()
    },
  })
}

function streamParts(pieces: readonly EchoPiece[]): readonly LanguageModelV4StreamPart[] {
  const calls = pieces.some((piece) => piece.kind === "call")
  const last = pieces.at(-1)
  return [
    { type: "stream-start", warnings: [] },
    ...pieces.flatMap(partsOf),
    {
      type: "finish",
      finishReason: { unified: calls ? "tool-calls" : "stop", raw: undefined },
      usage: last?.kind === "usage" ? usageOf(last.input, last.output) : usageOf(0, 0),
    },
  ]
}

function partsOf(piece: EchoPiece, index: number): LanguageModelV4StreamPart[] {
  const id = String(index)
  switch (piece.kind) {
    case "usage":
      return []
    case "call":
      return [{ type: "tool-call", toolCallId: piece.id, toolName: piece.name, input: piece.input }]
    case "text":
    case "reasoning": {
      const { kind } = piece
      const words = piece.text.match(/\s*\S+\s*$|\s*\S+/g) ?? []
      return [
        { type: `${kind}-start`, id },
        ...words.map((delta): LanguageModelV4StreamPart => ({ type: `${kind}-delta`, id, delta })),
        { type: `${kind}-end`, id },
      ]
    }
  }
}

function usageOf(input: number, output: number): Extract<LanguageModelV4StreamPart, { type: "finish" }>["usage"] {
  return {
    inputTokens: { total: input, noCache: input, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: output, text: output, reasoning: undefined },
  }
}
