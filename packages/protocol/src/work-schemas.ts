import { z } from "zod"
import type { ApprovalQuery, ApprovalRule, ApprovalTerms } from "./approval.ts"
import { json } from "./json-schema.ts"
import type {
  ToolClaimBody,
  ToolFailBody,
  ToolHeartbeatBody,
  ToolProgressBody,
  ToolReleaseBody,
  ToolResultBody,
  WorkRequest,
} from "./tool-work.ts"

/** Checks of what tool workers and those who approve send. */

/** Bytes of what one progress may say. */
const PROGRESS_CHARS_MAX = 4_096
/** Ten years. */
const MS_MAX = 10 * 365 * 24 * 3_600_000

const claim = z.string().min(1).max(128)
const name = z.string().regex(/^[A-Za-z0-9_.:-]{1,64}$/, "must be 1 to 64 letters, digits, _ . : or -")
const ms = z.number().int().min(1).max(MS_MAX)

export const toolClaimBody: z.ZodType<ToolClaimBody> = z.strictObject({
  worker: z.string().min(1).max(128),
  queues: z.array(name).min(1).max(16).optional(),
  tools: z
    .record(name, z.number().int().min(0).max(10_000))
    .refine((tools) => Object.keys(tools).length >= 1 && Object.keys(tools).length <= 64, "1 to 64 tools"),
  capacity: z.number().int().min(1).max(100),
  waitMs: z.number().int().min(0).max(60_000).optional(),
}) as z.ZodType<ToolClaimBody>

export const toolHeartbeatBody: z.ZodType<ToolHeartbeatBody> = z.strictObject({ claim })

export const toolProgressBody: z.ZodType<ToolProgressBody> = z.strictObject({
  claim,
  message: z.string().max(PROGRESS_CHARS_MAX).optional(),
  fraction: z.number().min(0).max(1).optional(),
  data: json
    .refine((value) => JSON.stringify(value).length <= PROGRESS_CHARS_MAX, `at most ${PROGRESS_CHARS_MAX} characters`)
    .optional(),
}) as z.ZodType<ToolProgressBody>

export const toolResultBody: z.ZodType<ToolResultBody> = z.strictObject({
  claim,
  output: json,
  reconciled: z.boolean().optional(),
}) as z.ZodType<ToolResultBody>

export const toolFailBody: z.ZodType<ToolFailBody> = z.strictObject({
  claim,
  error: z.string().max(8_192),
  retryable: z.boolean().optional(),
  unknown: z.boolean().optional(),
}) as z.ZodType<ToolFailBody>

export const toolReleaseBody: z.ZodType<ToolReleaseBody> = z.strictObject({ claim, begun: z.boolean() })

export const approvalQuery: z.ZodType<ApprovalQuery> = z.strictObject({
  type: z.string().max(64).optional(),
  tool: z.string().max(64).optional(),
  for: z.string().max(256).optional(),
  after: z.string().max(512).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).optional(),
}) as z.ZodType<ApprovalQuery>

export const workRequest: z.ZodType<WorkRequest> = z.strictObject({
  call: z.string().max(256),
  queue: name,
  timeoutMs: ms.optional(),
  heartbeatMs: ms.optional(),
  expiresMs: ms.optional(),
  attempts: z.number().int().min(1).max(10).optional(),
  delayMs: ms.optional(),
  concurrency: z.number().int().min(1).max(100_000).optional(),
  output: z.record(z.string(), json).optional(),
}) as z.ZodType<WorkRequest>

const principals = z.array(z.string().min(1).max(256)).min(1).max(100)

export const approvalTerms: z.ZodType<ApprovalTerms> = z.strictObject({
  quorum: z.number().int().min(1).max(10).optional(),
  from: principals.optional(),
  deadlineMs: ms.optional(),
  escalateTo: principals.optional(),
}) as z.ZodType<ApprovalTerms>

const pattern = z.string().min(1).max(256)

export const approvalRule: z.ZodType<ApprovalRule> = z.strictObject({
  name: z.string().min(1).max(128),
  tool: pattern.optional(),
  effect: z.array(z.enum(["pure", "idempotent", "reconcilable", "once"])).optional(),
  backend: z.array(z.enum(["http", "worker", "mcp", "sandbox", "human"])).optional(),
  type: pattern.optional(),
  tags: z.record(z.string(), pattern).optional(),
  askedBy: pattern.optional(),
  amount: z.strictObject({ path: z.string().min(1).max(256), over: z.number() }).optional(),
  require: z.union([z.literal(false), approvalTerms]),
}) as z.ZodType<ApprovalRule>
