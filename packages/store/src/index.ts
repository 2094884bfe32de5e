export { concatBytes } from "./core/bytes.ts"
export { frameJson, joinJson, parseJson } from "./core/json-frame.ts"
export { openMemoryStore, openStore } from "./sqlite/open.ts"
export type { MemoryStoreOptions, StoreOptions } from "./sqlite/open.ts"
export { parsePattern } from "./core/glob.ts"
export { endsOf } from "./core/offset.ts"
export { claimKey } from "./core/space-log.ts"
export { queueOf } from "./core/space-queue.ts"
export type {
  ExpiredClaim,
  ForgetfulSpace,
  OwnedRows,
  SpaceChange,
  SpaceClaim,
  SpaceLive,
  SpaceOp,
  SpaceReads,
  SpaceRecord,
  SpaceResult,
  SpaceRow,
  SpaceRowPage,
  SpaceRowQuery,
  SpaceWrite,
} from "./space.ts"
export { STREAMS_NAMED_MAX } from "./subscription.ts"
export type {
  Secret,
  DueCursor,
  SubscribedStream,
  SubscriptionChange,
  SubscriptionInput,
  SubscriptionOp,
  SubscriptionReads,
  SubscriptionRecord,
} from "./subscription.ts"
export type { ObservationChange, ObservationInput, ObservationReads, ObservationRecord } from "./observation.ts"
export type { Commit, CommitResult, Guard, Op, StreamOutcome } from "./commit.ts"
export type { DueFilter, EntityFilter, EntityRecord, EntityRecordPage, LiveRow, LiveRows } from "./entity.ts"
export type { StoredReceipt } from "./receipt.ts"
export type { Keep, PutPinOp, PutSnapshotOp, StoredSnapshot, TrimStreamOp, Trimmable } from "./retention.ts"
export { keepOffloading } from "./offload.ts"
export type { Offload, OffloadBucket, Offloading } from "./offload.ts"
export type { Replica, ReplicaListener, Replicas } from "./replica.ts"
export type { Store } from "./store.ts"
export type { AppendOp, CreateStreamOp, ForkStreamOp } from "./stream-ops.ts"
export type { ReadRest, ReadResult, StreamInfo, StreamListener, StreamPathPage } from "./stream.ts"
export type { Timer, TimerPlace } from "./timer.ts"
export type { WorkFilter, WorkGuard, WorkItem, WorkOp, WorkPage, WorkReads, WorkRecord } from "./work.ts"
