import {
  type ChangeEvent,
  type EntityEvent,
  type EntityUrl,
  type EventNotice,
  type EventSubscription,
  type JsonObject,
  type Offset,
  RouseError,
} from "@rouse/protocol"
import { parseJson, type Store, type SubscribedStream } from "@rouse/store"
import type { Composed } from "@rouse/streams"
import { isoTime } from "../core/control.ts"
import { isWanted, wantedType } from "../core/entity-event.ts"
import type { Secrets } from "../webhooks/verify.ts"
import { standardHeaders } from "./sign.ts"

/** Of one log, in one request. */
const READ_BYTES = 65_536
/** Logs that one request tells of. */
const STREAMS_MAX = 64
/** A request is not filled further beyond so many events. */
const EVENTS_MAX = 500

interface Found {
  readonly events: readonly EntityEvent[]
  readonly next: Offset
  readonly lost: boolean
}

/** What a subscription is told next, of the logs that are ahead of its cursors. Reads what it tells: nothing is kept for it. */
export async function composeEvents(
  store: Store,
  secrets: Secrets,
  subscription: EventSubscription,
  streams: readonly SubscribedStream[],
  nowMs: number,
): Promise<Composed> {
  const events: EntityEvent[] = []
  const lost: EntityUrl[] = []
  const acks: { path: string; offset: Offset }[] = []
  for (const stream of streams.filter((one) => one.pending).slice(0, STREAMS_MAX)) {
    const found = await eventsOf(store, subscription, stream)
    events.push(...found.events)
    if (found.lost) lost.push(urlOf(stream.path))
    acks.push({ path: stream.path, offset: found.next })
    if (events.length >= EVENTS_MAX) break
  }
  if (events.length === 0 && lost.length === 0) return { request: undefined, acks }
  const data = { subscription: subscription.name, events, ...(lost.length > 0 ? { lost } : {}) }
  const notice: EventNotice = { type: "events", timestamp: isoTime(nowMs), data }
  const body = JSON.stringify(notice)
  const secret = await secrets(subscription.secret)
  if (secret === undefined) throw new RouseError("SECRET_MISSING", `secret ${subscription.secret} is not set`)
  const id = await idOf(subscription.name, acks)
  return { request: { body, headers: await standardHeaders(secret, id, Math.floor(nowMs / 1_000), body) }, acks }
}

async function eventsOf(store: Store, subscription: EventSubscription, stream: SubscribedStream): Promise<Found> {
  const nothing = { events: [], next: stream.next, lost: false }
  const [, type = "", id = ""] = stream.path.split("/")
  if (subscription.types && !subscription.types.includes(type)) return nothing
  try {
    const { chunks, next } = await store.read(stream.path, stream.acked, READ_BYTES)
    const changes = chunks.flatMap((chunk) => parseJson([chunk])) as unknown as readonly ChangeEvent[]
    const events = changes.flatMap((change, index) => {
      const told = wantedType(subscription, change)
      if (told === undefined) return []
      const event: EntityEvent = {
        id: `${type}/${id}@${stream.acked}.${index}`,
        type: told,
        entity: `/${type}/${id}`,
        offset: next,
        data: change.value ?? { key: change.key },
      }
      return isWanted(subscription, event as unknown as JsonObject) ? [event] : []
    })
    return { events, next, lost: false }
  } catch (error) {
    if (RouseError.is(error, "GONE", "BAD_OFFSET")) return { ...nothing, lost: true }
    if (RouseError.is(error, "UNKNOWN_STREAM")) return nothing
    throw error
  }
}

function urlOf(path: string): EntityUrl {
  return path.slice("entities".length)
}

/** The same for the same cursors. */
async function idOf(name: string, acks: Composed["acks"]): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify([name, acks])))
  return `msg_${Buffer.from(digest).toString("hex").slice(0, 32)}`
}
