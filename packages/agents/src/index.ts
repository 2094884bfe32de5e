export { defineEntity } from "./entity.ts"
export type {
  CollectionSpec,
  EntityDefinition,
  EntityOptions,
  MigratedRows,
  OlderRows,
  ShapeOf,
  StateSpec,
} from "./entity.ts"
export type { Attachment, AttachmentContent, Attachments, PutOptions } from "./attachments.ts"
export { defineShared } from "./shared.ts"
export type {
  ClaimOptions,
  Expected,
  SharedCollectionSpec,
  SharedRows,
  SharedSchema,
  SharedSpec,
  Space,
  SpaceToolsOptions,
} from "./shared.ts"
export type { AskOptions } from "./ask.ts"
export { tool } from "./tool.ts"
export { humanTool } from "./human-tool.ts"
export type { HumanToolOptions } from "./human-tool.ts"
export { workerTool } from "./worker-tool.ts"
export type { WorkerToolOptions } from "./worker-tool.ts"
export type { Approval, Tool, ToolContext, ToolOptions, ToolRetry } from "./tool.ts"
export type {
  Agent,
  AgentOptions,
  AgentResult,
  Collection,
  Compaction,
  Context,
  ContextSource,
  ForkOptions,
  ModelRetry,
  ObservationOptions,
  ScheduleOptions,
  SendOptions,
  SpawnOptions,
  Wake,
} from "./context.ts"
export type { Price } from "./core/price-table.ts"
export type { Log } from "./log.ts"
export { envSecrets, fileSecrets, firstSecret, secret } from "./secrets/secret.ts"
export type { Secret, SecretResolver } from "./secrets/secret.ts"
export { httpTool } from "./http/http-tool.ts"
export type { HttpMethod, HttpReconcile, HttpRequest, HttpToolOptions } from "./http/http-tool.ts"
export type { HttpReply } from "./http/exchange.ts"
export type { HttpService } from "./http/service.ts"
export type { HttpAuth } from "./http/auth.ts"
export type { HttpSigning } from "./http/sign.ts"
export { clientCredentials } from "./http/oauth.ts"
export type { ClientCredentials, ClientCredentialsOptions } from "./http/oauth.ts"
export { pgTable, RouseError } from "@rouse/protocol"
export type { PgTable, PgTableOptions } from "@rouse/protocol"
export type {
  ApprovalRule,
  ApprovalTerms,
  AttachmentInfo,
  Budget,
  BudgetDecision,
  BudgetExtension,
  BudgetRequest,
  CatchUp,
  ChangeNotice,
  ChildFinished,
  ChildRow,
  Effect,
  EntityInfo,
  EntitySet,
  EntityUrl,
  ErrorCode,
  Json,
  JsonObject,
  MessageMode,
  MessageRow,
  ObservedChange,
  ObserveOptions,
  ObserveSource,
  Reason,
  ScheduleRule,
  TimeoutNotice,
  SharedClaim,
  SharedDefinition,
  SharedHeld,
  SharedRow,
  Usage,
  Where,
} from "@rouse/protocol"
export { createHandler } from "./create-handler.ts"
export type { FetchHandler, HandlerOptions, Invocation } from "./remote/handler.ts"
export type { PublicKeyInfo } from "./remote/keys.ts"
export type { RemoteOptions } from "./remote/options.ts"
export { createWorker } from "./remote/worker.ts"
export type { Worker, WorkerOptions } from "./remote/worker.ts"
