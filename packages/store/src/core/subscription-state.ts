/** What the decisions need to know about a subscription. */
export interface SubscriptionState {
  readonly serial: number
  readonly id: string
  readonly version: number
  readonly pattern: string | null
  readonly wakeStream: string | null
  readonly idle: boolean
  readonly dueAtMs: number | null
  readonly pending: number
  readonly links: number
  readonly named: number
}

/** A stream as one subscription sees it. */
export interface LinkState {
  readonly serial: number
  /** Of the subscription. */
  readonly id: string
  readonly path: string
  /** Whether it has a cursor of its own. Without one it is where the stream ends. */
  readonly linked: boolean
  readonly explicit: boolean
  /** Whether the pattern matches. */
  readonly matched: boolean
  /** The cursor: a position in the stream. */
  readonly acked: number
  readonly pending: boolean
}

/** What the decisions look subscriptions up in. */
export interface SubscriptionView {
  /** False: there is no subscription at all, and nothing to look up. */
  readonly any: boolean
  subscription(id: string): SubscriptionState | undefined
  /** Everybody for whom this stream counts, whether it exists or not. */
  subscribers(path: string): readonly LinkState[]
  /** How many subscriptions there are, and how many of them have a broad pattern. */
  counts(): { readonly all: number; readonly broad: number }
  newSerial(): number
}

export type SubscriptionWrite =
  | {
      readonly kind: "insert"
      readonly state: SubscriptionState
      readonly config: string
      readonly control: string
    }
  | { readonly kind: "update"; readonly state: SubscriptionState; readonly config: string; readonly control: string }
  /** What follows from its streams: counts and the due time. */
  | { readonly kind: "count"; readonly state: SubscriptionState }
  | { readonly kind: "drop"; readonly serial: number }
  | { readonly kind: "putLink"; readonly link: LinkState }
  | { readonly kind: "dropLink"; readonly serial: number; readonly path: string }
  | { readonly kind: "putSecret"; readonly name: string; readonly value: string; readonly createdAtMs: number }
  | { readonly kind: "dropSecret"; readonly name: string }
