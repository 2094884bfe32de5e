import type { StreamResponse } from "@a2a-js/sdk"
import type { EntityUrl, MessageRow, Offset } from "@rouse/protocol"
import { ChatText } from "../core/chat.ts"
import { followReply } from "../http/reply-stream.ts"
import { replyText } from "../openai/answer.ts"
import type { Plane } from "../plane.ts"
import { artifactOf, partOf, statusOf, taskId, type TaskName } from "./task.ts"

/** What becomes of a task from an offset of its agent's log on: its state, the text as it comes, and how it ended. */
export async function* taskUpdates(
  plane: Plane,
  url: EntityUrl,
  name: TaskName,
  from: Offset,
  stop: AbortSignal,
): AsyncGenerator<StreamResponse, void, undefined> {
  const about = { taskId: taskId(name), contextId: name.id, metadata: undefined }
  const text = new ChatText(name.message)
  const state = (status: MessageRow["status"], reason?: string): StreamResponse => ({
    payload: {
      $case: "statusUpdate",
      value: { ...about, status: statusOf(name, { status, ...(reason === undefined ? {} : { reason }) }) },
    },
  })
  const artifact = (more: string, isLast: boolean): StreamResponse => ({
    payload: {
      $case: "artifactUpdate",
      value: { ...about, artifact: artifactOf([partOf(more)]), append: text.text !== more, lastChunk: isLast },
    },
  })
  let isTaken = false
  for await (const found of followReply(plane, { url, message: name.message }, from, stop)) {
    if (found.kind === "quiet") continue
    const { events, settled } = found
    const taken = events.some(({ type, key, value }) => type === "message" && key === name.message && isWorked(value))
    if (taken && !isTaken) yield state("taken")
    isTaken ||= taken
    const more = text.take(events)
    if (more !== "") yield artifact(more, false)
    if (settled === undefined) continue
    const { status, reply, reason } = settled
    if (status === "processed" && typeof reply !== "string" && reply !== null)
      yield {
        payload: {
          $case: "artifactUpdate",
          value: { ...about, artifact: artifactOf([partOf(reply)]), append: false, lastChunk: true },
        },
      }
    else if (status === "processed") yield artifact(text.end(replyText(reply)), true)
    yield state(status, reason)
  }
}

function isWorked(value: unknown): boolean {
  return (value as MessageRow | null)?.status === "taken"
}
