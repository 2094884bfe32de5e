import type { Json } from "@rouse/protocol"
import type { UIMessage } from "ai"
import type { Client } from "../client-type.ts"
import type { AgentState } from "../live/agent-state.ts"

/** What a person decided in a chat about a call that waits for it. */
export interface ChatDecision {
  /** The approval's key, which is the call's. */
  readonly call: string
  readonly approved?: boolean
  readonly reason?: string
  /** To a question: what the page gave as the tool's output. */
  readonly answer?: Json
}

/** The decisions in a message of the assistant that the agent still waits for. */
export function decisionsIn(message: UIMessage, { timeline }: AgentState): readonly ChatDecision[] {
  return message.parts.flatMap((part): ChatDecision[] => {
    if (!("toolCallId" in part)) return []
    const call = part.toolCallId
    const waiting = timeline.approvals[call]
    if (!waiting) return []
    if (waiting.kind === "question")
      return part.state === "output-available" ? [{ call, answer: (part.output ?? null) as Json }] : []
    if (part.state !== "approval-responded") return []
    const { approved, reason } = part.approval
    return [{ call, approved, ...(reason !== undefined && { reason }) }]
  })
}

/** Tells the agent. @throws {RouseError} When the server refuses one. */
export async function decide(client: Client, url: string, decisions: readonly ChatDecision[]): Promise<void> {
  for (const { call, approved, reason, answer } of decisions) {
    if (approved === undefined) await client.answer(url, call, answer ?? null)
    else await client.approve(url, call, approved ? "allow" : "deny", reason)
  }
}
