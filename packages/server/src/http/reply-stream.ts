import {
  type ChangeEvent,
  entityStreamPath,
  type MessageRow,
  type Offset,
  type Receipt,
  type Settled,
} from "@rouse/protocol"
import { parseJson } from "@rouse/store"
import type { Plane } from "../plane.ts"
import { Changes, isTerminal, settledOf } from "../settlement.ts"
import { encodeEvents, heartbeat, type ServerEvent } from "./sse.ts"

const READ_BYTES = 262_144
const HEARTBEAT_MS = 15_000

/** What a look at the log found: changes up to an offset, and how the message was settled by them; or nothing for a while. */
export type Followed =
  | {
      readonly kind: "changes"
      readonly events: readonly ChangeEvent[]
      readonly next: Offset
      readonly settled?: Settled
    }
  | { readonly kind: "quiet" }

/** Follows an entity's log from an offset until a message is settled, or `stop`. */
export async function* followReply(
  plane: Plane,
  { url, message }: Pick<Receipt, "url" | "message">,
  from: Offset,
  stop: AbortSignal,
): AsyncGenerator<Followed, void, undefined> {
  const path = entityStreamPath(url)
  const changes = new Changes(plane, path)
  const onStop = (): void => changes.end()
  stop.addEventListener("abort", onStop, { once: true })
  let offset = from
  try {
    while (!stop.aborted) {
      const { chunks, next, upToDate } = await plane.store.read(path, offset, READ_BYTES)
      offset = next
      const { events, settled } = until(chunks, message)
      if (settled) yield { kind: "changes", events, next, settled: await settledOf(plane, url, message) }
      else if (events.length > 0) yield { kind: "changes", events, next }
      if (settled || changes.ended) return
      if (upToDate && (await quietFor(plane, changes))) yield { kind: "quiet" }
    }
  } finally {
    stop.removeEventListener("abort", onStop)
    changes.close()
  }
}

/**
 * What comes of a message, as it happens: `accepted`, every `change` on the entity's log from the message on, and `settled` last.
 *
 * Follows the log and nothing else, so a reader that lost it can go on from the last id with the stream's own protocol.
 */
export async function* replyEvents(
  plane: Plane,
  receipt: Receipt,
  from: Offset,
  stop: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield encodeEvents([{ event: "accepted", data: receipt }])
  for await (const found of followReply(plane, receipt, from, stop)) {
    if (found.kind === "quiet") yield heartbeat()
    else {
      const { events, next, settled } = found
      const frames = events.map((event): ServerEvent => ({ event: "change", data: event, id: next }))
      if (settled) frames.push({ event: "settled", data: settled, id: next })
      yield encodeEvents(frames)
    }
  }
}

/** The changes of these commits, up to the one that settles the message. */
function until(
  chunks: readonly Uint8Array[],
  message: string,
): { readonly events: readonly ChangeEvent[]; readonly settled: boolean } {
  const events: ChangeEvent[] = []
  for (const chunk of chunks) {
    const commit = parseJson([chunk]) as unknown as readonly ChangeEvent[]
    events.push(...commit)
    if (commit.some((event) => settles(event, message))) return { events, settled: true }
  }
  return { events, settled: false }
}

/** Waits for a change; true when none came for a while. */
async function quietFor(plane: Plane, changes: Changes): Promise<boolean> {
  let cancel = (): void => undefined
  const quiet = new Promise<boolean>((resolve) => {
    cancel = plane.defer(HEARTBEAT_MS, () => resolve(true))
  })
  try {
    return await Promise.race([quiet, changes.next().then(() => false)])
  } finally {
    cancel()
  }
}

function settles(event: ChangeEvent, message: string): boolean {
  return event.type === "message" && event.key === message && isTerminal((event.value as unknown as MessageRow).status)
}
