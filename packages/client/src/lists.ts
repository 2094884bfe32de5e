import type { EntityPage, EntityQuery, EntitySummary, EntityUrl, RouseError } from "@rouse/protocol"
import type { EventSourceMessage } from "eventsource-parser"
import { isAborted } from "./clock.ts"
import { queryString } from "./core/address.ts"
import { unreachableError } from "./core/problem.ts"
import { pauseQuietly } from "./log.ts"
import { eventData, readEvents } from "./sse.ts"
import type { Transport } from "./transport.ts"
import type { CallOptions, WatchOptions } from "./options.ts"

/** What a watched list tells: the whole first page, then every entity that changed, and those that match no longer. */
export type WatchEvent =
  | { readonly kind: "page"; readonly page: EntityPage }
  | { readonly kind: "entity"; readonly entity: EntitySummary }
  | { readonly kind: "gone"; readonly url: EntityUrl }

/** Which entities there are. */
export interface Lists {
  /** One page of entities, newest activity first. */
  list(query?: EntityQuery, options?: CallOptions): Promise<EntityPage>
  /** All entities that match, page after page. */
  listAll(query?: EntityQuery, options?: CallOptions): AsyncIterableIterator<EntitySummary>
  /** A list that stays current. After a lost connection it starts again with a `page`. Ends when the signal aborts. */
  watch(query?: EntityQuery, options?: WatchOptions): AsyncIterableIterator<WatchEvent>
}

const PATH = "/v1/entities"

export function list(transport: Transport, query: EntityQuery, { signal }: CallOptions): Promise<EntityPage> {
  return transport.json({ path: PATH + queryString(query), signal })
}

export async function* listAll(
  transport: Transport,
  query: EntityQuery,
  options: CallOptions,
): AsyncGenerator<EntitySummary> {
  let after = query.after
  do {
    const page = await list(transport, after === undefined ? query : { ...query, after }, options)
    yield* page.entities
    after = page.next
  } while (after !== undefined)
}

export async function* watch(
  transport: Transport,
  query: EntityQuery,
  { signal, onInterrupted }: WatchOptions,
): AsyncGenerator<WatchEvent> {
  if (!transport.streams()) return yield* polled(transport, query, signal, onInterrupted)
  const call = { path: PATH + queryString(query), accept: "text/event-stream", signal }
  for (let failures = 1; !isAborted(signal); failures++) {
    let failure: unknown = unreachableError(transport.url, "the list's connection ended")
    try {
      for await (const message of readEvents(await transport.open(call))) {
        const event = watchEvent(message)
        if (event) yield event
        failures = 0
      }
    } catch (error) {
      failure = error
    }
    if (isAborted(signal)) return
    onInterrupted?.(failure as RouseError)
    await pauseQuietly(transport, Math.max(failures, 1), failure, signal)
  }
}

/** How often a list is asked for where it cannot be streamed. */
const POLL_MS = 3_000

/** The list again and again: a page each time that it changed. */
async function* polled(
  transport: Transport,
  query: EntityQuery,
  signal: AbortSignal | undefined,
  onInterrupted: WatchOptions["onInterrupted"],
): AsyncGenerator<WatchEvent> {
  let shown = ""
  for (let failures = 0; !isAborted(signal);) {
    try {
      const page = await list(transport, query, { signal })
      const text = JSON.stringify(page)
      if (text !== shown) yield { kind: "page", page }
      ;[shown, failures] = [text, 0]
      await transport.clock.sleep(POLL_MS, signal)
    } catch (error) {
      if (isAborted(signal)) return
      onInterrupted?.(error as RouseError)
      await pauseQuietly(transport, ++failures, error, signal)
    }
  }
}

function watchEvent(message: EventSourceMessage): WatchEvent | undefined {
  switch (message.event ?? "") {
    case "page":
      return { kind: "page", page: eventData(message) as EntityPage }
    case "entity":
      return { kind: "entity", entity: eventData(message) as EntitySummary }
    case "gone":
      return { kind: "gone", url: (eventData(message) as { readonly url: EntityUrl }).url }
    default:
      return undefined
  }
}
