export { concatBytes } from "./core/bytes.ts"
export { frameJson, joinJson, parseJson } from "./core/json-frame.ts"
export { openMemoryStore, openStore } from "./sqlite/open.ts"
export type { MemoryStoreOptions, StoreOptions } from "./sqlite/open.ts"
export { parsePattern } from "./core/glob.ts"
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
export type {
  AppendOp,
  Commit,
  CommitResult,
  CreateStreamOp,
  DueFilter,
  EntityFilter,
  EntityRecord,
  EntityRecordPage,
  ForkStreamOp,
  Guard,
  Keep,
  LiveRow,
  LiveRows,
  Op,
  PutPinOp,
  PutSnapshotOp,
  ReadResult,
  Store,
  StoredReceipt,
  StoredSnapshot,
  StreamInfo,
  StreamListener,
  StreamOutcome,
  StreamPathPage,
  Timer,
  TrimStreamOp,
  Trimmable,
} from "./store.ts"
export type { WorkFilter, WorkGuard, WorkItem, WorkOp, WorkPage, WorkReads, WorkRecord } from "./work.ts"
