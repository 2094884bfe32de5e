import type { Json, MessageMode, RouseError } from "@rouse/protocol"
import type { Item } from "./items.ts"
import { itemId } from "./items.ts"

/** A message that was sent here and is not on the log yet. */
export interface OutgoingItem {
  readonly kind: "outgoing"
  readonly id: string
  /** The idempotency key of the send: it stays the same when it is tried again. */
  readonly key: string
  readonly content: Json
  readonly mode?: MessageMode
  /** Names of the files that come with it. */
  readonly files: readonly string[]
  /** `sent` is accepted, and will be on the log in a moment. */
  readonly status: "sending" | "sent" | "failed"
  readonly error?: RouseError
  /** Its key on the log, once it is accepted. */
  readonly message?: string
}

/** How many messages may be on their way at once. */
export const OUTBOX_MAX = 100

/** What is left to show of the outbox beside a timeline: not what is on it. */
export function stillOutgoing(outbox: readonly OutgoingItem[], shown: ReadonlySet<string>): readonly OutgoingItem[] {
  const left = outbox.filter(({ message }) => message === undefined || !shown.has(itemId("message", message)))
  return left.length === outbox.length ? outbox : left
}

/** The ids of the messages on the timeline that the outbox asks about. */
export function shownOf(items: readonly Item[], outbox: readonly OutgoingItem[]): ReadonlySet<string> {
  const wanted = new Set(outbox.flatMap(({ message }) => (message === undefined ? [] : [itemId("message", message)])))
  if (wanted.size === 0) return wanted
  return new Set(items.filter((item) => wanted.has(item.id)).map((item) => item.id))
}

/** The outbox with one message changed. */
export function changeOutgoing(
  outbox: readonly OutgoingItem[],
  key: string,
  change: (item: OutgoingItem) => OutgoingItem,
): readonly OutgoingItem[] {
  return outbox.map((item) => (item.key === key ? change(item) : item))
}
