import type { LogEvent, Offset } from "@rouse/protocol"
import { RouseError } from "@rouse/protocol"
import { isAborted } from "./clock.ts"
import { queryString } from "./core/address.ts"
import type { Transport } from "./transport.ts"

/** From where a log is read, and how. */
export interface ReadFrom {
  readonly offset: Offset
  readonly live: boolean
  readonly snapshot: boolean
}

interface Batch {
  readonly items: readonly LogEvent[]
  readonly offset: string
  readonly upToDate: boolean
  readonly streamClosed: boolean
}

/**
 * A log's batches where an answer is only had whole: one request after the other, and at the end of the log one that the server answers when
 * there is more, or after a while.
 *
 * @see Durable Streams Protocol §5.6 (long-polling)
 */
export async function* polledBatches(
  transport: Transport,
  path: string,
  { offset: from, live, snapshot }: ReadFrom,
  signal: AbortSignal | undefined,
): AsyncGenerator<Batch> {
  let offset: string = from
  let cursor: string | undefined
  for (let waits = false; !isAborted(signal);) {
    const query = { offset, snapshot: snapshot || undefined, live: waits ? "long-poll" : undefined, cursor }
    const response = await transport.open({ path: path + queryString(query), signal })
    const { headers } = response
    const batch: Batch = {
      items: eventsOf(await response.text()),
      offset: headers.get("stream-next-offset") ?? offset,
      upToDate: headers.has("stream-up-to-date") || response.status === 204,
      streamClosed: headers.get("stream-closed") === "true",
    }
    yield batch
    if (batch.streamClosed || (batch.upToDate && !live)) return
    offset = batch.offset
    cursor = headers.get("stream-cursor") ?? cursor
    waits = batch.upToDate
  }
}

function eventsOf(text: string): readonly LogEvent[] {
  if (text === "") return []
  try {
    return JSON.parse(text) as readonly LogEvent[]
  } catch (cause) {
    throw new RouseError("INTERNAL", "the server sent a part of the log that is not JSON", { cause })
  }
}
