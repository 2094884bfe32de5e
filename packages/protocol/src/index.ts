export { ERRORS, RouseError, problemOf } from "./errors.ts"
export type { ErrorCode, ErrorDetails, RouseErrorOptions, Problem } from "./errors.ts"
export { START } from "./offset.ts"
export type { Offset } from "./offset.ts"
export type { Json, JsonObject } from "./json.ts"
export { isControlEvent } from "./change.ts"
export type { Operation, ChangeEvent, ControlEvent, LogEvent, Row } from "./change.ts"
export {
  isEntityType,
  isEntityId,
  isTagName,
  entityUrl,
  parseEntityUrl,
  entityStreamPath,
  entityOfStream,
} from "./entity.ts"
export type { EntityUrl, EntityStatus, EntitySummary } from "./entity.ts"
export type { EntityShape, Shaped } from "./shape.ts"
export { SERVER_COLLECTIONS, HANDLER_COLLECTIONS, LOG_ONLY_COLLECTIONS } from "./collections.ts"
export type {
  BuiltInRows,
  BuiltInCollection,
  Principal,
  EntityRow,
  MessageMode,
  MessageRow,
  ChildFinished,
  WakeRow,
  ChildRow,
  SignalRow,
  ScheduleRow,
  TagRow,
  ErrorRow,
} from "./collections.ts"
export type {
  RunOutcome,
  RunRow,
  FailureInfo,
  StepRow,
  TextRow,
  ReasoningRow,
  DeltaRow,
  Effect,
  Backend,
  ToolCallRow,
  MemoRow,
} from "./run-rows.ts"
export { setStreamPath } from "./observe.ts"
export type {
  ChangeNotice,
  EntitySet,
  ObservationInfo,
  ObservationList,
  ObserveBody,
  ObservedChange,
  ObserveFilter,
  ObserveOptions,
  ObserveRequest,
  ObserveSource,
  SubscriptionRow,
  TimeoutNotice,
  Where,
  WhereTests,
} from "./observe.ts"
export { isPgSourceName, PG_SOURCE_DEFAULT, pgStreamPath, pgTable, pgTableLabel } from "./pg-table.ts"
export type { PgTable, PgTableOptions } from "./pg-table.ts"
export { backoffMs } from "./backoff.ts"
export type {
  ApprovalDecision,
  ApprovalPage,
  ApprovalQuery,
  ApprovalRequest,
  ApprovalRow,
  ApprovalRule,
  ApprovalTerms,
  ApprovalVote,
  RuleFacts,
  WaitingApproval,
} from "./approval.ts"
export { ruleFor, stricter } from "./policy.ts"
export type {
  ToolClaim,
  ToolClaimBody,
  ToolClaims,
  ToolFailBody,
  ToolHeartbeat,
  ToolHeartbeatBody,
  ToolProgress,
  ToolProgressBody,
  ToolReleaseBody,
  ToolResultBody,
  ToolSettled,
  ToolWorkRow,
  WorkRequest,
  WorkTerms,
} from "./tool-work.ts"
export { mergeDelta } from "./delta.ts"
export type {
  Budget,
  Spend,
  Resource,
  BudgetRow,
  ModelReservation,
  BudgetRequest,
  BudgetExtension,
  BudgetDecision,
  Cause,
} from "./budget.ts"
export type { Usage, UsageSum, UsageBy, UsageQuery, UsageReport, UsageTime } from "./usage.ts"
export type { ContextRow, SummaryRow, SourceRow } from "./context-rows.ts"
export {
  OCTETS,
  attachmentsIn,
  MESSAGE_ATTACHMENTS_MAX,
  isAttachmentId,
  isAttachmentName,
  isTextual,
  isVisual,
  mediaTypeOf,
} from "./attachments.ts"
export type {
  AttachmentBackend,
  AttachmentInfo,
  AttachmentLabel,
  AttachmentPage,
  AttachmentRow,
  ByteRange,
} from "./attachments.ts"
export type { LogBatchAt, LogPage, LogPageQuery } from "./log-page.ts"
export type {
  CatchUp,
  ScheduleBody,
  ScheduleEntry,
  ScheduleInfo,
  ScheduleList,
  SchedulePage,
  ScheduleQuery,
  ScheduleRequest,
  ScheduleRule,
} from "./schedule.ts"
export type { KeyInfo, KeyList } from "./keys-list.ts"
export type { DeadLetter, DeadLetterBody, DeadLetterPage } from "./dead-letters.ts"
export { runKey, stepKey, partKey } from "./keys.ts"
export { SUMMARY_KEY, isPast, isRunAfter, summaryOf } from "./live.ts"
export type {
  Reason,
  WakeInfo,
  EntityInfo,
  WakeRequest,
  OutgoingMessage,
  SpawnRequest,
  WakeOutcome,
  HandlerCommit,
  CommitReply,
  WakeBackend,
} from "./wake.ts"
export type {
  SpawnBody,
  SendBody,
  Receipt,
  Settled,
  Spawned,
  EntityDetail,
  EntityQuery,
  EntityPage,
  Signal,
  SignalBody,
  ApprovalBody,
  TagsBody,
  Tombstone,
  TypeInfo,
  ServerInfo,
} from "./api.ts"
export { BUNDLE_VERSION } from "./bundle.ts"
export type { SpaceBundleEnd, SpaceBundleHead, SpaceBundlePart, SpaceBundleRow } from "./space-bundle.ts"
export type { BundleEnd, BundleEntity, BundleHead, BundlePart, Imported } from "./bundle.ts"
export type { ForkBody, Forked, ForkPoint, ForkRequest } from "./fork.ts"
export { reachOf } from "./ip-address.ts"
export type { Reach } from "./ip-address.ts"
export { hostOf, reachOfHost } from "./reach.ts"
export { KEYS_PATH, SIGNATURE_HEADER } from "./dispatch.ts"
export type {
  ClaimEnd,
  ClaimInfo,
  ClaimsBody,
  ClaimsReply,
  DeployBody,
  Dispatch,
  EndpointHealth,
  HandlerFailure,
  HandlerManifest,
  ManifestRequest,
  RemoteDispatch,
  RenewBody,
  RenewReply,
  Routing,
  TypeBody,
  TypeManifest,
  TypeVersion,
  WakeAnswer,
  WakeDelivery,
} from "./dispatch.ts"
export { SPACE_COLLECTIONS, sharedStreamPath, spaceOfStream } from "./shared.ts"
export type {
  SharedAnswers,
  SharedClaim,
  SharedClaimBody,
  SharedCollection,
  SharedDefinition,
  SharedHeld,
  SharedInfo,
  SharedList,
  SharedOp,
  SharedOpsBody,
  SharedPage,
  SharedQuery,
  SharedRequest,
  SharedRow,
  SharedWrite,
  SharedWritten,
} from "./shared.ts"
export { checkWhere, matchesWhere, valueAt } from "./observe-where.ts"
export { webhookStream } from "./webhooks.ts"
export type {
  HmacScheme,
  WebhookDelivery,
  WebhookKind,
  WebhookReceipt,
  WebhookRoute,
  WebhookSource,
  WebhookSourceBody,
} from "./webhooks.ts"
export { ENTITY_EVENTS } from "./events.ts"
export type { EntityEvent, EntityEventType, EventNotice, EventSubscription, EventSubscriptionBody } from "./events.ts"
export { ASK_MS, ASK_MS_MAX, isWaitingMemo, PARKED_KEY } from "./ask.ts"
export type { AskRequest, AskState } from "./ask.ts"
