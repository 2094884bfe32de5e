import { applyChanges, emptyTimeline, statusOf } from "@rouse/client"
import type { Client, RouseError, Timeline } from "@rouse/client"
import type { EntityUrl, LogEvent, Offset } from "@rouse/protocol"
import { plainLine } from "../core/plain.ts"

/** What is known of an agent, and whether the server is there. */
export interface Followed {
  readonly timeline: Timeline
  readonly offset: Offset | undefined
  /** What there is to say of a connection that is lost. */
  readonly lost: string | undefined
}

/** What happened: the log went on, the connection was lost, or it was taken up again at an offset. */
export type Happening = "changed" | "lost" | "back"

/**
 * Follows an agent's log from its live rows, whatever becomes of the connection: it is taken up again at the offset where it was lost.
 * Tells of the first state when all of it has been read. Ends when the signal aborts or the agent is stopped.
 *
 * @throws {RouseError} What the client gives up on.
 */
export async function follow(
  client: Client,
  url: EntityUrl,
  signal: AbortSignal,
  tell: (followed: Followed, what: Happening) => void,
): Promise<void> {
  let followed: Followed = { timeline: emptyTimeline(), offset: undefined, lost: undefined }
  let isRead = false
  const onInterrupted = (error: RouseError): void => {
    const isNew = followed.lost === undefined
    followed = { ...followed, lost: `connection lost, trying again: ${plainLine(error.message)}` }
    if (isNew && isRead) tell(followed, "lost")
  }
  for await (const { events, offset, upToDate } of client.observe(url, { snapshot: true, signal, onInterrupted })) {
    const what: Happening = followed.lost === undefined ? "changed" : "back"
    followed = {
      timeline: applyChanges(followed.timeline, events satisfies readonly LogEvent[]),
      offset,
      lost: undefined,
    }
    isRead ||= upToDate
    if (isRead) tell(followed, what)
    if (statusOf(followed.timeline).kind === "stopped" && upToDate) return
  }
}
