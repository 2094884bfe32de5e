export { createClient } from "./client.ts"
export type { Clock } from "./clock.ts"
export { RouseError } from "@rouse/protocol"
export { applyChange, applyChanges, emptyTimeline } from "./core/timeline.ts"
export type { Timeline } from "./core/timeline.ts"
export { statusOf } from "./core/activity.ts"
export type { Activity } from "./core/activity.ts"
export { usageOf } from "./core/usage.ts"
export type {
  ChildItem,
  ErrorItem,
  Item,
  MessageItem,
  Part,
  RunEndItem,
  SignalItem,
  StepItem,
  TextPart,
  ToolPart,
  WakeItem,
} from "./core/items.ts"
export type { ClaimRequest, RowChange, SharedClient, SharedSpaces } from "./shared.ts"
export type {
  ApproveOptions,
  AskOptions,
  CallOptions,
  Client,
  ClientOptions,
  FileInput,
  FilesOption,
  UploadOptions,
  DeadLetterOptions,
  DelayedSendOptions,
  Duration,
  LogBatch,
  ObserveOptions,
  Operators,
  SendOptions,
  SpawnInput,
  SpawnOptions,
  SpawnReply,
  StateRows,
  StreamEvent,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from "./types.ts"
export type { People } from "./people.ts"
export type { Webhooks } from "./webhooks.ts"
