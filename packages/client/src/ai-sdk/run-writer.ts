import type { UIMessage, UIMessageChunk } from "ai"
import type { Part, TextPart } from "../core/items.ts"
import type { Timeline } from "../core/timeline.ts"
import { budgetsOf, runMetadata } from "./messages.ts"
import type { FileUrl } from "./parts.ts"
import { filesOf, replyPart, userParts } from "./parts.ts"
import type { ToolView } from "./tool-view.ts"
import { toolChunks, toolView } from "./tool-view.ts"
import type { Block, RunTurn } from "./turns.ts"

interface ToldText {
  readonly kind: TextPart["kind"]
  readonly text: string
}

/**
 * Writes one run as the chunks of a chat's stream: each time what is new since the last.
 *
 * 1. Applied in order, the chunks give the message that `chatMessages` makes of the run.
 * 2. A step that is written anew (its model call was tried again) takes back what was told of it.
 * 3. What is over is not told again: earlier steps change by the outcomes of their tool calls alone.
 */
export class RunWriter {
  readonly #fileUrl: FileUrl
  /** What was told of each part, by its key. */
  readonly #told = new Map<string, ToldText | ToolView>()
  readonly #open = new Set<string>()
  /** The steps that were begun, in order. */
  readonly #steps: string[] = []
  #keys: string[] = []
  #started = false

  constructor(fileUrl: FileUrl) {
    this.#fileUrl = fileUrl
  }

  /** What is new in the run. */
  advance(turn: RunTurn): UIMessageChunk[] {
    const chunks: UIMessageChunk[] = []
    if (!this.#started) chunks.push({ type: "start", messageId: turn.run, messageMetadata: runMetadata(turn) })
    this.#started = true
    for (const block of turn.blocks) this.#block(block, chunks)
    return chunks
  }

  /** The end of what is told: of the run, or of what it does until a person decides. */
  finish(turn: RunTurn, timeline: Timeline): UIMessageChunk[] {
    const { run, end } = turn
    const chunks: UIMessageChunk[] = [...this.advance(turn)]
    for (const id of this.#open) {
      const told = this.#told.get(id)
      if (told && "text" in told) chunks.push({ type: `${told.kind}-end`, id })
    }
    if (this.#steps.length > 0) chunks.push({ type: "finish-step" })
    if (end?.outcome === "failed")
      return [...chunks, { type: "error", errorText: end.row.error?.message ?? "the run failed" }]
    if (end?.reply !== undefined) chunks.push(...replyChunks(run, replyPart(end.reply)))
    for (const budget of budgetsOf(timeline, run)) chunks.push({ type: "data-budget", id: budget.call, data: budget })
    const messageMetadata = runMetadata(turn)
    if (end === undefined) return [...chunks, { type: "finish", finishReason: "tool-calls", messageMetadata }]
    const stopped = end.outcome !== "completed"
    if (stopped) chunks.push({ type: "abort", reason: end.outcome })
    return [...chunks, { type: "finish", finishReason: stopped ? "interrupted" : "stop", messageMetadata }]
  }

  /** Takes as told what a chat shows of the run already: all of it, and its tool calls as the chat has them. */
  resume(turn: RunTurn, shown: UIMessage): void {
    this.advance(turn)
    for (const part of shown.parts) {
      if (!("toolCallId" in part) || part.state !== "approval-responded") continue
      const told = this.#told.get(part.toolCallId)
      if (told && "state" in told)
        this.#told.set(part.toolCallId, { ...told, state: part.state, approval: { approved: part.approval.approved } })
    }
  }

  #block(block: Block, chunks: UIMessageChunk[]): void {
    const { step, steering } = block
    const isNewest = this.#steps.at(-1) === step.key
    const isKnown = this.#steps.includes(step.key)
    if (isNewest && this.#isWrittenAnew(step.parts)) {
      chunks.push({ type: "reset-step" })
      for (const key of this.#keys) this.#told.delete(key)
      this.#keys = []
      this.#open.clear()
      this.#steering(steering, chunks)
    }
    if (!isKnown) {
      if (this.#steps.length > 0) chunks.push({ type: "finish-step" })
      chunks.push({ type: "start-step" })
      this.#steps.push(step.key)
      this.#keys = []
      this.#steering(steering, chunks)
    }
    for (const part of step.parts) {
      // What follows a gap would be told too early: the settled part fills it.
      if (part.kind !== "tool" && part.gap) return
      if (part.kind === "tool") this.#tool(toolView(part), chunks)
      else if (isNewest || !isKnown) this.#text(part, chunks)
    }
  }

  #steering(steering: Block["steering"], chunks: UIMessageChunk[]): void {
    for (const item of steering)
      chunks.push({ type: "steering-message", id: item.key, parts: userParts(item, this.#fileUrl) })
  }

  #tool(view: ToolView, chunks: UIMessageChunk[]): void {
    const before = this.#told.get(view.id)
    const known = before && "state" in before ? before : undefined
    if (!known) this.#keys.push(view.id)
    this.#told.set(view.id, view)
    chunks.push(...toolChunks(known, view))
    if (known?.state === view.state) return
    for (const { url, mediaType } of filesOf(view, this.#fileUrl)) chunks.push({ type: "file", url, mediaType })
  }

  #text({ kind, key: id, text, streaming }: TextPart, chunks: UIMessageChunk[]): void {
    const before = this.#told.get(id)
    const known = before && "text" in before ? before.text : undefined
    if (known === undefined && text === "") return
    if (known === undefined) {
      chunks.push({ type: `${kind}-start`, id })
      this.#keys.push(id)
      this.#open.add(id)
    }
    const delta = text.slice(known?.length ?? 0)
    if (delta !== "") chunks.push({ type: `${kind}-delta`, id, delta })
    this.#told.set(id, { kind, text })
    if (!streaming && this.#open.delete(id)) chunks.push({ type: `${kind}-end`, id })
  }

  /** Whether what was told of the newest step is not how the step begins now. */
  #isWrittenAnew(parts: readonly Part[]): boolean {
    const shown = parts.filter((part) => part.kind === "tool" || part.text !== "")
    return this.#keys.some((key, n) => {
      const part = shown[n]
      const told = this.#told.get(key)
      if (part?.key !== key) return true
      if (!told || "state" in told) return part.kind !== "tool"
      if (part.kind !== told.kind) return true
      if (part.gap) return false
      const isOver = !this.#open.has(key)
      return !part.text.startsWith(told.text) || (isOver && part.text !== told.text)
    })
  }
}

function replyChunks(run: string, part: ReturnType<typeof replyPart>): readonly UIMessageChunk[] {
  const id = `${run}-reply`
  if (part.type !== "text") return [{ type: "data-reply", data: (part as { readonly data: unknown }).data }]
  return [
    { type: "text-start", id },
    { type: "text-delta", id, delta: part.text },
    { type: "text-end", id },
  ]
}
