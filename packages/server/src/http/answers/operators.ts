import type {
  ApprovalPage,
  ApprovalRow,
  AttachmentInfo,
  AttachmentPage,
  DeadLetterPage,
  MessageRow,
  UsageReport,
} from "@rouse/protocol"
import { json, jsonObject } from "@rouse/protocol/schemas"
import { z } from "zod"
import { mode, principal, status, time, url, usageGroup, usageSum, usageTime } from "./parts.ts"

export const attachmentInfo: z.ZodType<AttachmentInfo> = z.object({
  type: z.literal("attachment"),
  id: z.string().meta({ description: "The SHA-256 of its bytes, in hex." }),
  name: z.string(),
  mediaType: z.string(),
  size: z.int(),
})
export const attachmentPage: z.ZodType<AttachmentPage> = z.object({
  attachments: z.array(attachmentInfo),
  next: z.string().exactOptional(),
})

export const message: z.ZodType<MessageRow> = z.object({
  id: z.string(),
  kind: z.enum([
    "message",
    "childFinished",
    "approval",
    "toolResult",
    "signal",
    "timeout",
    "budget",
    "change",
    "forked",
  ]),
  from: principal,
  content: json,
  attachments: z.array(attachmentInfo).exactOptional(),
  mode,
  at: time,
  status: z.enum(["accepted", "taken", "processed", "cancelled", "dead"]),
  run: z.string().exactOptional(),
  reason: z.string().exactOptional(),
  cause: z.object({ hops: z.int(), chain: z.array(url) }).exactOptional(),
  schedule: z.object({ name: z.string(), dueAt: time }).exactOptional(),
})

export const deadLetterPage: z.ZodType<DeadLetterPage> = z.object({
  messages: z.array(z.object({ url, status, message })),
  next: z.string().exactOptional(),
})

const vote = z.object({
  by: principal,
  decision: z.enum(["allow", "deny"]),
  at: time,
  note: z.string().exactOptional(),
  edited: z.literal(true).exactOptional(),
})

export const approval: z.ZodType<ApprovalRow> = z.object({
  kind: z.enum(["budget", "question"]).exactOptional(),
  call: z.string(),
  tool: z.string(),
  input: json,
  at: time,
  status: z.enum(["waiting", "allowed", "denied", "answered", "expired", "cancelled"]),
  question: z.string().exactOptional(),
  schema: jsonObject.exactOptional(),
  rule: z.string().exactOptional(),
  quorum: z.int().exactOptional(),
  from: z.array(z.string()).exactOptional(),
  deadline: time.exactOptional(),
  deadlineMs: z.number().exactOptional(),
  escalateTo: z.array(z.string()).exactOptional(),
  escalatedAt: time.exactOptional(),
  edited: json.exactOptional(),
  answer: json.exactOptional(),
  votes: z.array(vote).exactOptional(),
  by: principal.exactOptional(),
  note: z.string().exactOptional(),
  decidedAt: time.exactOptional(),
})

export const approvalPage: z.ZodType<ApprovalPage> = z.object({
  approvals: z.array(z.object({ entity: url, approval })),
  next: z.string().exactOptional(),
})

export const usageReport: z.ZodType<UsageReport> = z.object({
  by: z.enum(["type", "model", "entity", "tree"]),
  since: z.string().nullable(),
  until: z.string().nullable(),
  total: usageSum,
  groups: z.array(usageGroup),
  more: z.int(),
  times: z.array(usageTime).exactOptional(),
})

export const keyList: z.ZodType<{ readonly keys: readonly object[] }> = z.object({
  keys: z.array(z.object({ name: z.string(), scope: z.enum(["work", "read", "write", "admin"]) })),
})
