import type { z } from "zod"
import * as entities from "./entities.ts"
import * as handlers from "./handlers.ts"
import * as openai from "./openai.ts"
import * as operators from "./operators.ts"
import * as parts from "./parts.ts"
import * as problems from "./problem.ts"
import * as shared from "./shared.ts"
import type { AnswerName } from "./names.ts"
import * as webhooks from "./webhooks.ts"

/** The shapes of the API's answers, by the names that its document gives them. */
export const ANSWERS: Readonly<Record<AnswerName, z.ZodType>> = {
  Problem: problems.problem,
  EntityUrl: parts.url,
  Offset: parts.offset,
  Principal: parts.principal,
  Budget: parts.budget,
  UsageSum: parts.usageSum,
  EntitySummary: entities.entitySummary,
  EntityDetail: entities.entityDetail,
  EntityPage: entities.entityPage,
  Receipt: entities.receipt,
  Accepted: entities.accepted,
  Settled: entities.settled,
  Spawned: entities.spawned,
  Forked: entities.forked,
  State: entities.state,
  Imported: entities.imported,
  ScheduleInfo: entities.scheduleInfo,
  ScheduleList: entities.scheduleList,
  ObservationInfo: entities.observationInfo,
  ObservationList: entities.observationList,
  Decided: entities.decided,
  Resettled: entities.resettled,
  AttachmentInfo: operators.attachmentInfo,
  AttachmentPage: operators.attachmentPage,
  Message: operators.message,
  DeadLetterPage: operators.deadLetterPage,
  Approval: operators.approval,
  ApprovalPage: operators.approvalPage,
  UsageReport: operators.usageReport,
  TypeInfo: handlers.typeInfo,
  TypeList: handlers.typeList,
  ServerInfo: handlers.serverInfo,
  ClaimsReply: handlers.claimsReply,
  RenewReply: handlers.renewReply,
  CommitReply: handlers.commitReply,
  KeySet: handlers.keySet,
  ToolClaims: handlers.toolClaims,
  ToolHeartbeat: handlers.toolHeartbeat,
  ToolSettled: handlers.toolSettled,
  Health: handlers.serverHealth,
  OpenapiDocument: handlers.openapiDocument,
  SharedRow: shared.sharedRow,
  SharedHeldRows: shared.sharedHeldRows,
  SharedPage: shared.sharedPage,
  SharedInfo: shared.sharedInfo,
  SharedList: shared.sharedList,
  SharedWritten: shared.sharedWritten,
  SharedAnswer: shared.sharedAnswer,
  WebhookReceipt: webhooks.webhookReceipt,
  WebhookAnswer: webhooks.webhookAnswer,
  WebhookSource: webhooks.webhookSource,
  WebhookSourceList: webhooks.webhookSourceList,
  EventSubscription: webhooks.eventSubscription,
  EventSubscriptionState: webhooks.eventSubscriptionState,
  EventSubscriptionList: webhooks.eventSubscriptionList,
  ChatModel: openai.chatModel,
  ChatModelList: openai.chatModelList,
  ChatCompletion: openai.chatCompletion,
  ChatError: openai.chatError,
}
