import type { UIMessage } from "ai"

/**
 * A chat's messages as the log has them, with the objects that the chat has where they say the same: what did not change is not rendered
 * again. An approval that was given in the page and is not sent yet stays.
 *
 * @param localIds The ids that messages sent here have in the chat, by their key on the log.
 */
export function reconcile<M extends UIMessage>(
  shown: readonly M[],
  log: readonly M[],
  localIds: ReadonlyMap<string, string>,
): M[] {
  const known = new Map(shown.map((message) => [message.id, message]))
  return log.map((message) => {
    const id = localIds.get(message.id) ?? message.id
    const before = known.get(id)
    if (!before) return id === message.id ? message : { ...message, id }
    const merged = { ...message, id, parts: message.parts.map((part) => unsent(before, part)) }
    return JSON.stringify(before) === JSON.stringify(merged) ? before : merged
  })
}

/** The page's part where a person has responded and the log does not know yet. */
function unsent(before: UIMessage, part: UIMessage["parts"][number]): UIMessage["parts"][number] {
  if (!("toolCallId" in part) || part.state !== "approval-requested") return part
  const local = before.parts.find((candidate) => "toolCallId" in candidate && candidate.toolCallId === part.toolCallId)
  return local && "toolCallId" in local && local.state === "approval-responded" ? local : part
}
