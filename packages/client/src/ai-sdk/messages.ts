import type { ApprovalRow } from "@rouse/protocol"
import type { UIMessage } from "ai"
import type { Timeline } from "../core/timeline.ts"
import { budgetPart, partOf, replyPart, userParts } from "./parts.ts"
import type { FileUrl, UIPart } from "./parts.ts"
import { turnsOf } from "./turns.ts"
import type { RunTurn, UserTurn } from "./turns.ts"

/** What a chat's messages say of themselves beside their parts. */
export interface ChatMetadata {
  /** Who sent it: `user:ann`. */
  readonly from?: string
  /** When: ISO 8601, UTC. */
  readonly at?: string
  /** The run that it is. */
  readonly run?: string
  /** What the run cost, once it is over. */
  readonly usage?: object
}

/** A timeline as the messages of a chat: what each person sent, and each run as one message of the assistant. */
export function chatMessages(timeline: Timeline, fileUrl: FileUrl): UIMessage<ChatMetadata>[] {
  return turnsOf(timeline.items).map((turn) =>
    turn.kind === "user" ? userMessage(turn, fileUrl) : runMessage(turn, timeline, fileUrl),
  )
}

function userMessage({ item }: UserTurn, fileUrl: FileUrl): UIMessage<ChatMetadata> {
  const { from, at } = item.row
  return {
    id: item.key,
    role: "user",
    metadata: { from: `${from.kind}:${from.id}`, at },
    parts: userParts(item, fileUrl),
  }
}

function runMessage(turn: RunTurn, timeline: Timeline, fileUrl: FileUrl): UIMessage<ChatMetadata> {
  const { run, blocks, end } = turn
  const parts: UIPart[] = blocks.flatMap(({ step, steering }) => [
    { type: "step-start" as const },
    ...steering.map((item) => ({
      type: "steering-message" as const,
      id: item.key,
      parts: userParts(item, fileUrl),
    })),
    ...step.parts.flatMap((part) => partOf(part, fileUrl)),
  ])
  if (end?.reply !== undefined) parts.push(replyPart(end.reply))
  parts.push(...budgetsOf(timeline, run).map(budgetPart))
  return { id: run, role: "assistant", metadata: runMetadata(turn), parts }
}

/** Budgets that a run waits for. */
export function budgetsOf(timeline: Timeline, run: string): readonly ApprovalRow[] {
  if (timeline.run?.id !== run) return []
  return Object.values(timeline.approvals).filter((approval) => approval.kind === "budget")
}

export function runMetadata({ run, end }: RunTurn): ChatMetadata {
  return { run, ...(end?.row.usage && { usage: end.row.usage }) }
}
