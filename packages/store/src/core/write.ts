import type { EncodedReceipt, EncodedRow, EncodedTimer } from "./encoded.ts"
import type { RetentionWrite } from "./retention.ts"
import type { ObservationWrite } from "./observation-state.ts"
import type { ProducerClaim, StreamState } from "./stream-state.ts"
import type { SpaceTableWrite } from "./space-state.ts"
import type { SubscriptionWrite } from "./subscription-state.ts"
import type { EntityState } from "./view.ts"
import type { WorkWrite } from "./work-write.ts"

/** One change of a table. A plan's are done in order, all or none. */
export type Write =
  | { readonly kind: "insertStream"; readonly state: StreamState }
  | { readonly kind: "updateStream"; readonly state: StreamState }
  | { readonly kind: "dropStream"; readonly id: number }
  | { readonly kind: "putChunk"; readonly stream: number; readonly tail: number; readonly data: Uint8Array }
  | { readonly kind: "putProducer"; readonly stream: number; readonly claim: ProducerClaim }
  | {
      readonly kind: "putEntity"
      readonly old: EntityState | undefined
      readonly next: EntityState
      readonly control: string
    }
  | { readonly kind: "putLeaseSeq"; readonly entity: number; readonly seq: number }
  | { readonly kind: "dropEntity"; readonly url: string; readonly state: EntityState | undefined }
  | { readonly kind: "putRow"; readonly entity: number; readonly row: EncodedRow }
  | { readonly kind: "dropRow"; readonly entity: number; readonly collection: string; readonly key: string }
  | { readonly kind: "putTimer"; readonly timer: EncodedTimer }
  | { readonly kind: "dropTimer"; readonly id: string }
  | { readonly kind: "putReceipt"; readonly receipt: EncodedReceipt }
  | RetentionWrite
  | WorkWrite
  | { readonly kind: "subscription"; readonly write: SubscriptionWrite }
  | { readonly kind: "observation"; readonly write: ObservationWrite }
  | { readonly kind: "space"; readonly write: SpaceTableWrite }
