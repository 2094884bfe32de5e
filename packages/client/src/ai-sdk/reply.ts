import type { MessageRow } from "@rouse/protocol"
import type { UIMessageChunk } from "ai"
import type { AgentState } from "../live/agent-state.ts"
import type { LiveStore } from "../live/watched.ts"
import { RunWriter } from "./run-writer.ts"
import type { RunTurn } from "./turns.ts"
import { turnOfRun } from "./turns.ts"

/** What a stream tells: the run that takes a message, or a run that is known. */
export type Followed = { readonly message: string } | { readonly run: string }

export interface ReplyOptions {
  readonly store: LiveStore<AgentState>
  readonly followed: Followed
  readonly writer: RunWriter
  /** Whether the run may be waiting for people and yet goes on: a decision is on its way. */
  readonly isExpected?: ((state: AgentState) => boolean) | undefined
  readonly signal?: AbortSignal | undefined
  /** Called once, when nothing more is told. */
  readonly closed: () => void
}

interface Told {
  readonly chunks: readonly UIMessageChunk[]
  readonly over: boolean
}

/** A run as a chat's stream, read from the agent's store: whatever happens to connections, nothing is told twice or left out. */
export function replyStream({
  store,
  followed,
  writer,
  isExpected = () => false,
  signal,
  closed,
}: ReplyOptions): ReadableStream<UIMessageChunk> {
  let wake = (): void => undefined
  const told = { over: false }
  const unsubscribe = store.subscribe(() => wake())
  const end = (): void => {
    if (told.over) return
    told.over = true
    unsubscribe()
    signal?.removeEventListener("abort", aborted)
    wake()
    closed()
  }
  const aborted = (): void => end()
  signal?.addEventListener("abort", aborted)
  if (signal?.aborted === true) end()

  return new ReadableStream<UIMessageChunk>({
    async pull(controller) {
      while (!told.over) {
        const { chunks, over } = next(store.get(), followed, writer, isExpected)
        for (const chunk of chunks) controller.enqueue(chunk)
        if (over) end()
        else if (chunks.length > 0) return
        else
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      }
      controller.close()
    },
    cancel: end,
  })
}

/** What is to be told now. */
function next(
  state: AgentState,
  followed: Followed,
  writer: RunWriter,
  isExpected: (state: AgentState) => boolean,
): Told {
  if (state.phase === "failed") return failed(state.error?.message ?? "the agent cannot be read")
  const message = "message" in followed ? messageOf(state, followed.message) : undefined
  if (message?.status === "dead") return failed(message.reason ?? "the message was given up")
  const run = "run" in followed ? followed.run : message?.run
  const turn = run === undefined ? undefined : turnOfRun(state.timeline.items, run)
  if (!turn) return message?.status === "cancelled" ? cancelled(message) : NOTHING
  const isDone = turn.end !== undefined || (isWaiting(state, turn) && !isExpected(state))
  return isDone
    ? { chunks: writer.finish(turn, state.timeline), over: true }
    : { chunks: writer.advance(turn), over: false }
}

const NOTHING: Told = { chunks: [], over: false }

function failed(errorText: string): Told {
  return { chunks: [{ type: "error", errorText }], over: true }
}

function cancelled({ reason }: MessageRow): Told {
  return {
    chunks: [
      { type: "abort", ...(reason !== undefined && { reason }) },
      { type: "finish", finishReason: "interrupted" },
    ],
    over: true,
  }
}

function messageOf({ timeline }: AgentState, key: string): MessageRow | undefined {
  const item = timeline.items.findLast((candidate) => candidate.kind === "message" && candidate.key === key)
  return item?.kind === "message" ? item.row : undefined
}

/** Whether a run goes on only when a person has decided. */
export function isWaiting({ timeline }: AgentState, { run }: RunTurn): boolean {
  if (timeline.run?.id !== run || timeline.run.status !== "suspended") return false
  return Object.keys(timeline.approvals).length > 0
}
