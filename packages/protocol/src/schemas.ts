import { z } from "zod"
import type { ApprovalBody, EntityQuery, SendBody, SignalBody, SpawnBody, TagsBody } from "./api.ts"
import { isAttachmentId, MESSAGE_ATTACHMENTS_MAX } from "./attachments.ts"
import type { Budget, BudgetExtension } from "./budget.ts"
import type { DeadLetterBody } from "./dead-letters.ts"
import type { ForkBody } from "./fork.ts"
import { isTagName, parseEntityUrl } from "./entity.ts"
import { json, jsonObject } from "./json-schema.ts"
import type { ObserveBody } from "./observe.ts"
import type {
  SharedClaimBody,
  SharedDefinition,
  SharedOp,
  SharedOpsBody,
  SharedQuery,
  SharedRequest,
  SharedWrite,
} from "./shared.ts"
import type { UsageQuery } from "./usage.ts"
import type { LogPageQuery } from "./log-page.ts"
import type { ScheduleBody, ScheduleQuery } from "./schedule.ts"

export { json, jsonObject } from "./json-schema.ts"

/** Checks of what comes from outside, at the server's edge. Unknown fields are refused, so that a misspelt one is seen. */

const url = z
  .string()
  .refine((value) => parseEntityUrl(value) !== undefined, "must look like /type/id")
  .meta({ description: "An agent's address.", examples: ["/chat/ada"] })
const tagName = z.string().refine(isTagName, "letters, digits and ._:/- only, at most 64")
const tags = z
  .record(tagName, z.string().max(256))
  .refine((value) => Object.keys(value).length <= 64, "at most 64 tags")

/** Files that one message may bring. */

/** How far ahead a message may be scheduled: ten years. */
const DELAY_MS_MAX = 10 * 365 * 24 * 3_600_000

const amount = z.number().min(0).max(1e15)
const count = z.number().int().min(0).max(1e15)

export const budget: z.ZodType<Budget> = z.strictObject({
  usd: amount.optional(),
  tokens: count.optional(),
  steps: count.optional(),
  toolCalls: count.optional(),
  wallMs: count.optional(),
  children: count.optional(),
  depth: count.optional(),
  wakesPerMinute: count.min(1).optional(),
  warnAt: z.number().gt(0).max(1).optional(),
}) as z.ZodType<Budget>

export const budgetExtension: z.ZodType<BudgetExtension> = z.strictObject({
  usd: amount.optional(),
  tokens: count.optional(),
  steps: count.optional(),
  toolCalls: count.optional(),
  wallMs: count.optional(),
}) as z.ZodType<BudgetExtension>

export const usageQuery: z.ZodType<UsageQuery> = z.strictObject({
  by: z.enum(["type", "model", "entity", "tree"]).optional(),
  since: z.iso.datetime({ offset: true }).optional(),
  until: z.iso.datetime({ offset: true }).optional(),
  type: z.string().max(64).optional(),
  entity: url.optional(),
  tree: url.optional(),
  times: z.stringbool({ truthy: ["true"], falsy: ["false"] }).optional(),
}) as unknown as z.ZodType<UsageQuery>

export const logPageQuery: z.ZodType<LogPageQuery> = z.strictObject({
  before: z.string().max(128).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).optional(),
  collection: z.string().max(64).optional(),
  key: z.string().max(512).optional(),
}) as unknown as z.ZodType<LogPageQuery>

export const scheduleQuery: z.ZodType<ScheduleQuery> = z.strictObject({
  type: z.string().max(64).optional(),
  after: z.string().max(512).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).optional(),
}) as z.ZodType<ScheduleQuery>

export const spawnBody: z.ZodType<SpawnBody> = z.strictObject({
  args: jsonObject.optional(),
  tags: tags.optional(),
  message: json.optional(),
  parent: url.optional(),
  budget: budget.optional(),
}) as z.ZodType<SpawnBody>

export const forkBody: z.ZodType<ForkBody> = z.strictObject({
  at: z.string().max(128).optional(),
  id: z.string().max(128).optional(),
  tree: z.boolean().optional(),
  message: json.optional(),
  run: z.boolean().optional(),
  tags: tags.optional(),
  budget: budget.optional(),
  schedules: z.boolean().optional(),
}) as unknown as z.ZodType<ForkBody>

export const sendBody: z.ZodType<SendBody> = z
  .strictObject({
    content: json,
    attachments: z
      .array(z.string().refine(isAttachmentId, "must be an attachment's id: 64 hexadecimal digits"))
      .max(MESSAGE_ATTACHMENTS_MAX)
      .optional(),
    mode: z.enum(["steer", "queue", "interrupt"]).optional(),
    afterMs: z.number().int().min(0).max(DELAY_MS_MAX).optional(),
    at: z.iso.datetime({ offset: true }).optional(),
  })
  .refine((body) => body.afterMs === undefined || body.at === undefined, {
    message: "give afterMs or at, not both",
    path: ["at"],
  }) as z.ZodType<SendBody>

export const signalBody: z.ZodType<SignalBody> = z.strictObject({
  signal: z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/, "lower-case letters, digits, _ and - only, at most 64"),
  payload: json.optional(),
}) as z.ZodType<SignalBody>

export const approvalBody: z.ZodType<ApprovalBody> = z
  .strictObject({
    decision: z.enum(["allow", "deny"]).optional(),
    answer: json.optional(),
    input: json.optional(),
    note: z.string().max(4_096).optional(),
    extend: budgetExtension.optional(),
  })
  .refine((body) => (body.decision === undefined) !== (body.answer === undefined), {
    message: "give decision, or answer to a question",
    path: ["decision"],
  }) as z.ZodType<ApprovalBody>

export const tagsBody: z.ZodType<TagsBody> = z.strictObject({
  tags: z.record(tagName, z.string().max(256).nullable()),
}) as z.ZodType<TagsBody>

export const entityQuery: z.ZodType<EntityQuery> = z.strictObject({
  type: z.string().max(64).optional(),
  status: z.enum(["idle", "queued", "running", "suspended", "paused", "dead", "stopped"]).optional(),
  tag: z.string().max(321).optional(),
  parent: url.optional(),
  text: z
    .string()
    .max(256)
    .refine((value) => value.trim().split(/\s+/).length <= 8, "at most 8 words")
    .optional(),
  after: z.string().max(512).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).optional(),
}) as z.ZodType<EntityQuery>

/** The rule is checked with the clock: see `checkRule` in `@rouse/agents/runtime`. */
export const scheduleBody: z.ZodType<ScheduleBody> = z.strictObject({
  name: z.string().max(128),
  cron: z.string().max(256).optional(),
  timezone: z.string().max(64).optional(),
  every: z.number().optional(),
  at: z.string().max(64).optional(),
  message: json,
  catchUp: z.enum(["skip", "once", "all"]).optional(),
}) as z.ZodType<ScheduleBody>

/** What the fields may hold is for `checkObservation` in `@rouse/protocol/observe` to say. */
export const observeBody: z.ZodType<ObserveBody> = z.strictObject({
  name: z.string().max(128).optional(),
  source: z.union([
    z.string().max(1_024),
    z.strictObject({
      type: z.string().max(64),
      status: z.enum(["idle", "queued", "running", "suspended", "paused", "dead", "stopped"]).optional(),
      tags: tags.optional(),
    }),
  ]),
  on: z.union([z.string().max(256), z.array(z.string().max(256)).max(64)]).optional(),
  where: jsonObject.optional(),
  debounce: z.number().optional(),
  timeout: z.number().optional(),
  from: z.string().max(128).optional(),
}) as z.ZodType<ObserveBody>

export const deadLetterBody: z.ZodType<DeadLetterBody> = z.strictObject({
  messages: z.array(z.string().max(64)).min(1).max(10_000).optional(),
}) as z.ZodType<DeadLetterBody>

export const deadLetterQuery: z.ZodType<{ readonly after?: string; readonly limit?: number }> = z.strictObject({
  after: z.string().max(512).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).optional(),
}) as z.ZodType<{ readonly after?: string; readonly limit?: number }>

const collectionName = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, "a letter, then letters, digits, _ and -")
const property = z.string().min(1).max(128)
const token = z.number().int().min(1)
const leaseMs = z.number().int().min(1_000).max(86_400_000)

export const sharedDefinition: z.ZodType<SharedDefinition> = z.strictObject({
  collections: z
    .record(
      collectionName,
      z.strictObject({
        schema: jsonObject,
        key: property,
        indexes: z.array(z.array(property).min(1).max(4)).max(4).optional(),
      }),
    )
    .refine((value) => Object.keys(value).length >= 1 && Object.keys(value).length <= 32, "1 to 32 collections"),
}) as z.ZodType<SharedDefinition>

const rowKey = z.string().min(1).max(256)
const expecting = { version: z.number().int().min(1).optional(), token: token.optional() }

/** A change of a row in the collection that `place` says. */
function opIn<P extends z.ZodRawShape>(place: P) {
  const onRow = { ...place, key: rowKey }
  return z.discriminatedUnion("op", [
    z.strictObject({ op: z.literal("insert"), ...place, value: jsonObject }),
    z
      .strictObject({
        op: z.literal("update"),
        ...onRow,
        ...expecting,
        set: jsonObject.optional(),
        value: jsonObject.optional(),
      })
      .refine(({ set, value }: Readonly<Record<string, unknown>>) => (set === undefined) !== (value === undefined), {
        message: "give set or value",
        path: ["set"],
      }),
    z.strictObject({ op: z.literal("delete"), ...onRow, ...expecting }),
    z.strictObject({ op: z.literal("increment"), ...onRow, field: property, by: z.number() }),
    z.strictObject({ op: z.literal("complete"), ...onRow, token, set: jsonObject.optional() }),
    z.strictObject({ op: z.literal("release"), ...onRow, token: token.optional() }),
    z.strictObject({ op: z.literal("renew"), ...onRow, token, leaseMs: leaseMs.optional() }),
  ])
}

/** Changes of one commit. */
const OPS_MAX = 1_000

const sharedOps = z
  .array(opIn({ collection: collectionName }))
  .min(1)
  .max(OPS_MAX) as unknown as z.ZodType<readonly SharedOp[]>

/** Changes of the collection that the request's path names. */
export const sharedOpsBody: z.ZodType<SharedOpsBody> = z.strictObject({
  ops: z.array(opIn({})).min(1).max(OPS_MAX),
}) as unknown as z.ZodType<SharedOpsBody>

export const sharedClaimBody: z.ZodType<SharedClaimBody> = z.strictObject({
  collection: collectionName,
  where: jsonObject.optional(),
  limit: z.number().int().min(1).max(100).optional(),
  leaseMs: leaseMs.optional(),
  holder: z.string().min(1).max(256).optional(),
  id: z.string().min(1).max(256).optional(),
}) as z.ZodType<SharedClaimBody>

export const sharedQuery: z.ZodType<SharedQuery> = z.strictObject({
  where: jsonObject
    .refine((value) => Object.keys(value).length <= 8, "at most 8 properties")
    .refine((value) => !/["\\]/.test(Object.keys(value).join("")), "no quotation marks or backslashes in a name")
    .optional(),
  after: z.string().max(256).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).optional(),
}) as z.ZodType<SharedQuery>

const space = z.string().max(128)

/** The changes of spaces in a handler's commit. */
export const sharedWrites: z.ZodType<readonly SharedWrite[]> = z
  .array(z.strictObject({ space, ops: sharedOps }))
  .max(16)

/** What a handler asks of a space. Its definition is checked where it is taken. */
export const sharedRequest: z.ZodType<SharedRequest> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("open"), space, definition: jsonObject }),
  z.strictObject({ kind: z.literal("get"), space, collection: collectionName, key: z.string().max(256) }),
  z.strictObject({ kind: z.literal("list"), space, collection: collectionName, query: sharedQuery }),
  z.strictObject({ kind: z.literal("claim"), space, claim: sharedClaimBody }),
]) as unknown as z.ZodType<SharedRequest>
