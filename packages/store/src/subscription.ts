import type { Offset } from "@rouse/protocol"

/**
 * Subscriptions as a store keeps them: who is to be woken when which streams grow, and how far each has been handled.
 *
 * 1. A stream is pending for a subscription when it has bytes after the subscription's cursor. That is decided in the
 *    transaction that moves the tail or the cursor, never later.
 * 2. A subscription that is idle while a stream is pending for it is due. An append makes it so in its own commit.
 * 3. A stream that matches a pattern joins when it is first appended to, with its cursor where it ended before: what was there when the
 *    subscription was made is not news. So a pattern costs nothing for the streams that rest.
 */
export interface SubscriptionReads {
  subscription(id: string): Promise<SubscriptionRecord | undefined>

  /** Streams of a subscription, those that are pending first, then by path. Empty when there is no such subscription. */
  subscribedStreams(id: string, limit: number): Promise<readonly SubscribedStream[]>

  /**
   * Subscriptions whose `dueAtMs` is at or before `nowMs`, earliest first, then by serial.
   *
   * @param after Only those that come after this one in that order.
   */
  dueSubscriptions(nowMs: number, limit: number, after?: DueCursor): Promise<readonly SubscriptionRecord[]>

  /** Subscriptions that are due later than `afterMs`: after a clock was set back, further away than anything can be. */
  distantSubscriptions(afterMs: number, limit: number): Promise<readonly SubscriptionRecord[]>

  /** The earliest `dueAtMs` of any subscription. */
  nextSubscriptionDueAtMs(): Promise<number | undefined>

  /** Calls `listener` with the due time after each durable commit that left a subscription it touched with one. Returns the unsubscriber. */
  watchSubscriptions(listener: (dueAtMs: number) => void): () => void

  /** Secrets whose name begins with `prefix`, by name. */
  secrets(prefix: string): Promise<readonly Secret[]>
}

/** A place in the order of what is due. */
export interface DueCursor {
  readonly dueAtMs: number
  readonly serial: number
}

/** What the caller decides about a subscription. */
export interface SubscriptionInput {
  readonly id: string
  /** Of paths of streams that join by themselves. See `parsePattern`. */
  readonly pattern: string | null
  /** The stream that tells of its wakes. No pattern matches it for this subscription. */
  readonly wakeStream: string | null
  /** Whether a pending stream makes it due at once. */
  readonly idle: boolean
  /** When the caller must look at it again. */
  readonly dueAtMs: number | null
  /** What was asked for. Opaque to the store. */
  readonly config: string
  /** The caller's own state of it. Opaque to the store. */
  readonly state: string
}

export interface SubscriptionRecord extends SubscriptionInput {
  /** Tells it from an earlier one of the same id. Never used again. */
  readonly serial: number
  /** Grows by one with every put: the compare-and-set token. */
  readonly version: number
  /** How many streams are pending. */
  readonly pending: number
  /** How many streams have a cursor of their own. */
  readonly links: number
}

export interface SubscribedStream {
  readonly path: string
  /** Named by itself, and not by the pattern alone. */
  readonly explicit: boolean
  /** How far it has been handled. `START`: nothing has been. */
  readonly acked: Offset
  /** `START` when there is no such stream, or nothing in it. */
  readonly next: Offset
  readonly pending: boolean
}

/** Something that must not leave the store but in use. Never in an error, an event or a log. */
export interface Secret {
  readonly name: string
  readonly value: string
  readonly createdAtMs: number
}

export type SubscriptionOp =
  | { readonly op: "subscription"; readonly change: SubscriptionChange }
  /** Keeps a secret, or with null forgets it. */
  | { readonly op: "secret"; readonly name: string; readonly secret: string | null; readonly nowMs: number }

export type SubscriptionChange =
  /**
   * Inserts or replaces; the stored version is the old one plus 1. Pattern and wake stream stay as they were first put.
   * One that is idle while a stream is pending is due at `nowMs`.
   */
  | { readonly kind: "put"; readonly record: SubscriptionInput; readonly nowMs: number }
  /** Does nothing when there is none. */
  | { readonly kind: "delete"; readonly id: string }
  /** Names a stream, which need not exist, by itself. Its cursor begins at its tail. Does nothing when it is named already. */
  | { readonly kind: "link"; readonly id: string; readonly path: string; readonly nowMs: number }
  /** Names a stream no more. It stays when the pattern matches it. */
  | { readonly kind: "unlink"; readonly id: string; readonly path: string }
  /** Moves a cursor forward, or leaves it. */
  | {
      readonly kind: "ack"
      readonly id: string
      readonly path: string
      readonly offset: Offset
      /** Does nothing where the cursor cannot be moved so, instead of refusing the commit. */
      readonly lenient?: boolean
      readonly nowMs: number
    }

/** How many subscriptions one store keeps. */
export const SUBSCRIPTIONS_MAX = 10_000
/** How many of them may have a pattern that begins with a wildcard: any append may be news to each. */
export const SUBSCRIPTIONS_BROAD_MAX = 64
/** How many streams a subscription may name by themselves. */
export const STREAMS_NAMED_MAX = 1_000
/** Beyond so many streams, one that is named by the pattern alone is forgotten while it is not pending. It joins again as any does. */
export const STREAMS_SETTLED_MAX = 1_000
