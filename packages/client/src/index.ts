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
  AnyClient,
  AddressOf,
  ArgsOf,
  ClientOf,
  MessageOf,
  RowsOf,
  SpaceOf,
  SpaceRows,
  TypedClient,
  TypedRows,
  TypeOf,
} from "./typed.ts"
export type { Client, StateOptions, StateRows } from "./client-type.ts"
export type { CallOptions, ClientOptions, Duration, WatchOptions, WriteOptions } from "./options.ts"
export type { Attachments, FileInput, FilesOption, UploadOptions } from "./attachments.ts"
export type { AskOptions, DelayedSendOptions, Messages, SendOptions, StreamEvent } from "./messages.ts"
export type { Lists, WatchEvent } from "./lists.ts"
export type { LogBatch, Logs, ObserveOptions } from "./log.ts"
export type { Spawning, SpawnInput, SpawnOptions, SpawnReply } from "./spawn.ts"
export type { ApproveOptions, Steering } from "./steering.ts"
export type { DeadLetterOptions, Operators } from "./operators.ts"
export type { ExportOptions, History, ImportOptions } from "./history.ts"
export type { People } from "./people.ts"
export type { Webhooks } from "./webhooks.ts"
