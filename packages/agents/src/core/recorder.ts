import type { LanguageModelV4FinishReason, LanguageModelV4StreamPart, LanguageModelV4Usage } from "@ai-sdk/provider"
import { partKey } from "@rouse/protocol"
import type { DeltaRow, JsonObject, Usage } from "@rouse/protocol"
import type { Redactor } from "./redactor.ts"

/** A piece of the model's answer as it stands. */
export type RecordedPart = TextPart | CallPart

interface TextPart {
  readonly kind: "text" | "reasoning"
  readonly index: number
  text: string
  /** How much of the text was taken as deltas, and how much that is on the log, without secrets. */
  taken: number
  logged: number
  metadata: JsonObject | undefined
}

interface CallPart {
  readonly kind: "call"
  readonly index: number
  readonly callId: string
  readonly name: string
  /** As the model wrote it: JSON, one hopes. */
  readonly input: string
  readonly metadata: JsonObject | undefined
}

/** How the model ended its answer. */
export interface Finish {
  readonly reason: LanguageModelV4FinishReason["unified"]
  readonly usage: Usage
}

/**
 * Collects what a model streams into parts, and says what of them is new since it was last asked. Knows nothing of commits.
 *
 * A new try of the provider begins a new recorder: its deltas start at 0 again, which tells a reader to begin the part anew.
 */
export class Recorder {
  readonly parts: RecordedPart[] = []
  finish: Finish | undefined
  readonly #open = new Map<string, TextPart>()

  /** @returns An error that the provider streamed. */
  add(part: LanguageModelV4StreamPart): { readonly error: unknown } | undefined {
    // Sources, files and the provider's own tools are not part of the conversation yet.
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check
    switch (part.type) {
      case "text-start":
      case "reasoning-start":
        this.#start(part.type === "text-start" ? "text" : "reasoning", part.id, part.providerMetadata)
        return undefined
      case "text-delta":
      case "reasoning-delta":
        this.#extend(part.type === "text-delta" ? "text" : "reasoning", part.id, part.delta, part.providerMetadata)
        return undefined
      case "text-end":
      case "reasoning-end":
        this.#end(part.type, part.id, part.providerMetadata)
        return undefined
      case "tool-call":
        if (part.providerExecuted !== true)
          this.#call(part.toolCallId, part.toolName, part.input, part.providerMetadata)
        return undefined
      case "finish":
        this.finish = { reason: part.finishReason.unified, usage: usageOf(part.usage) }
        return undefined
      case "error":
        return { error: part.error }
      default:
        return undefined
    }
  }

  /** New text since the last call, one delta a part. What could be the beginning of a secret waits for what follows. */
  takeDeltas(run: string, step: string, redactor: Redactor): (readonly [string, DeltaRow])[] {
    const deltas: (readonly [string, DeltaRow])[] = []
    for (const part of this.parts) {
      if (part.kind === "call" || part.text.length === part.taken) continue
      const rest = part.text.slice(part.taken)
      const end = redactor.settledEnd(rest)
      if (end === 0) continue
      const text = redactor.text(rest.slice(0, end))
      const delta = { run, step, index: part.index, kind: part.kind, at: part.logged, text }
      part.taken += end
      part.logged += text.length
      deltas.push([partKey(step, part.index), delta])
    }
    return deltas
  }

  #start(kind: "text" | "reasoning", id: string, metadata: unknown): TextPart {
    const part: TextPart = {
      kind,
      index: this.parts.length,
      text: "",
      taken: 0,
      logged: 0,
      metadata: metadataOf(metadata),
    }
    this.parts.push(part)
    this.#open.set(`${kind}:${id}`, part)
    return part
  }

  #extend(kind: "text" | "reasoning", id: string, delta: string, metadata: unknown): void {
    const part = this.#open.get(`${kind}:${id}`) ?? this.#start(kind, id, undefined)
    part.text += delta
    part.metadata = merge(part.metadata, metadataOf(metadata))
  }

  #end(type: "text-end" | "reasoning-end", id: string, metadata: unknown): void {
    const key = `${type === "text-end" ? "text" : "reasoning"}:${id}`
    const part = this.#open.get(key)
    if (part) part.metadata = merge(part.metadata, metadataOf(metadata))
    this.#open.delete(key)
  }

  #call(callId: string, name: string, input: string, metadata: unknown): void {
    const index = this.parts.length
    this.parts.push({ kind: "call", index, callId, name, input, metadata: metadataOf(metadata) })
  }
}

function metadataOf(metadata: unknown): JsonObject | undefined {
  return metadata === undefined || metadata === null ? undefined : (metadata as JsonObject)
}

/** Later facts of the same provider are added to the earlier ones. */
function merge(before: JsonObject | undefined, after: JsonObject | undefined): JsonObject | undefined {
  if (before === undefined || after === undefined) return after ?? before
  const providers = Object.entries(after).map(([name, facts]) => [
    name,
    { ...(before[name] as JsonObject | undefined), ...(facts as JsonObject) },
  ])
  return { ...before, ...(Object.fromEntries(providers) as JsonObject) }
}

function usageOf({ inputTokens, outputTokens }: LanguageModelV4Usage): Usage {
  return {
    inputTokens: inputTokens.total ?? 0,
    outputTokens: outputTokens.total ?? 0,
    ...(inputTokens.cacheRead === undefined ? {} : { cachedInputTokens: inputTokens.cacheRead }),
    ...(inputTokens.cacheWrite ? { cacheWriteTokens: inputTokens.cacheWrite } : {}),
    ...(outputTokens.reasoning ? { reasoningTokens: outputTokens.reasoning } : {}),
  }
}
