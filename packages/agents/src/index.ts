export { defineEntity } from "./entity.ts"
export type { CollectionSpec, EntityDefinition, EntityOptions, StateSpec } from "./entity.ts"
export { tool } from "./tool.ts"
export type { Approval, Tool, ToolContext, ToolOptions, ToolRetry } from "./tool.ts"
export type {
  Agent,
  AgentOptions,
  AgentResult,
  Collection,
  Context,
  ModelRetry,
  SendOptions,
  SpawnOptions,
  Wake,
} from "./context.ts"
export type { Price } from "./core/price-table.ts"
export type { Log } from "./log.ts"
export { RouseError } from "@rouse/protocol"
export type {
  Budget,
  BudgetDecision,
  BudgetExtension,
  BudgetRequest,
  ChildFinished,
  ChildRow,
  Effect,
  EntityInfo,
  EntityUrl,
  ErrorCode,
  Json,
  JsonObject,
  MessageMode,
  MessageRow,
  Reason,
  Usage,
} from "@rouse/protocol"
