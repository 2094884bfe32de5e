import type { EncodedRecord } from "./encoded.ts"
import type { ProducerState } from "./producer.ts"
import type { SpaceView } from "./space-state.ts"
import type { StreamState } from "./stream-state.ts"
import type { ObservationView } from "./observation-state.ts"
import type { SubscriptionView } from "./subscription-state.ts"

/** What the decisions need to know about an entity. */
export interface EntityState {
  readonly id: number
  readonly url: string
  readonly version: number
  readonly epoch: number
  /** The highest commit recorded under this epoch; 0: none. */
  readonly seq: number
  /** The control plane's part is left out: no decision needs it. */
  readonly record: Omit<EncodedRecord, "control">
}

/** What the decisions look things up in. */
export interface StoreView {
  readonly subscriptions: SubscriptionView
  readonly observations: ObservationView
  readonly spaces: SpaceView
  stream(path: string): StreamState | undefined
  producer(stream: number, id: string): ProducerState | undefined
  /** Whether a batch of the stream ends at this position. */
  hasBatchEnd(stream: number, position: number): boolean
  /** The stream's first batch that ends beyond this position. */
  batchAfter(stream: number, position: number): Uint8Array | undefined
  entity(url: string): EntityState | undefined
  hasTimer(id: string): boolean
  hasReceipt(key: string): boolean
  /** 0: there is none. */
  workVersion(id: string): number
  /** The first position of the stream that something still needs: a reader that said so, a fork, a subscription. */
  pinned(stream: number): number | undefined
  /** The identity of a stream to come. Never handed out before. */
  newStream(): { readonly id: number; readonly incarnation: string }
  /** The identity of an entity to come. */
  newEntityId(): number
}
