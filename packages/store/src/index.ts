export { frameJson, joinJson, parseJson } from "./core/json-frame.ts"
export { openMemoryStore, openStore } from "./sqlite/open.ts"
export type { MemoryStoreOptions, StoreOptions } from "./sqlite/open.ts"
export type {
  AppendOp,
  Commit,
  CommitResult,
  CreateStreamOp,
  EntityFilter,
  EntityRecord,
  EntityRecordPage,
  ForkStreamOp,
  Guard,
  Op,
  ReadResult,
  Store,
  StoredReceipt,
  StreamInfo,
  StreamListener,
  StreamOutcome,
  Timer,
} from "./store.ts"
