import { z } from "zod"
import { isAttachmentId, MESSAGE_ATTACHMENTS_MAX } from "./attachments.ts"
import type {
  ClaimEnd,
  ClaimsBody,
  DeployBody,
  HandlerManifest,
  RemoteDispatch,
  RenewBody,
  Routing,
  TypeBody,
  WakeAnswer,
} from "./dispatch.ts"
import { isEntityType, parseEntityUrl } from "./entity.ts"
import { ERRORS } from "./errors.ts"
import type { ErrorCode } from "./errors.ts"
import { jsonObject } from "./json-schema.ts"
import { budget } from "./schemas.ts"
import type { HandlerCommit } from "./wake.ts"

/**
 * Checks of what handlers and workers outside of the server say. A handler may be newer than the server: fields of a commit that are not known
 * are left alone.
 */

const TYPES_MAX = 256
const COLLECTIONS_MAX = 256
const TIMEOUT_MS_MAX = 24 * 3_600_000
/** Events of one commit; its bytes are bounded too. */
const EVENTS_MAX = 100_000
const LIST_MAX = 10_000
const CAPACITY_MAX = 1_000
export const WAIT_MS_MAX = 60_000

const entityUrl = z.string().refine((value) => parseEntityUrl(value) !== undefined, "must look like /type/id")
const typeName = z.string().refine(isEntityType, "must name an entity type: lower-case letters, digits, _ and -")
const key = z.string().min(1).max(256)
const errorCode = z.string().refine((value): value is ErrorCode => Object.hasOwn(ERRORS, value), "is not an error code")

/** What may name a version: letters, digits and `._+-`, at most 64. */
export const version: z.ZodType<string> = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/, "letters, digits and ._+- only, at most 64")

const manifestFields = {
  description: z.string().max(4_096).optional(),
  args: jsonObject.optional(),
  message: jsonObject.optional(),
  collections: z
    .array(z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, "must begin with a letter"))
    .max(COLLECTIONS_MAX)
    .optional(),
  timeoutMs: z.number().int().min(1).max(TIMEOUT_MS_MAX).optional(),
  attempts: z.number().int().min(1).max(1_000).optional(),
  concurrency: z.number().int().min(1).max(1_000_000).optional(),
  budget: budget.optional(),
}

const dispatch: z.ZodType<RemoteDispatch> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("webhook"), url: z.string().max(2_048) }),
  z.strictObject({ kind: z.literal("pull") }),
])

export const typeBody: z.ZodType<TypeBody> = z.strictObject({
  ...manifestFields,
  dispatch,
  version: version.optional(),
}) as z.ZodType<TypeBody>

export const handlerManifest: z.ZodType<HandlerManifest> = z.looseObject({
  version: version.optional(),
  types: z
    .array(z.looseObject({ ...manifestFields, name: typeName }))
    .min(1)
    .max(TYPES_MAX),
}) as unknown as z.ZodType<HandlerManifest>

export const deployBody: z.ZodType<DeployBody> = z.strictObject({
  url: z.string().max(2_048),
  version: version.optional(),
}) as z.ZodType<DeployBody>

export const routing: z.ZodType<Routing> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("latest") }),
  z.strictObject({ kind: z.literal("pin"), version }),
  z.strictObject({
    kind: z.literal("canary"),
    version,
    percent: z.number().min(0).max(100),
    base: version,
  }),
])

export const claimsBody: z.ZodType<ClaimsBody> = z.strictObject({
  worker: z.string().min(1).max(128),
  types: z
    .array(z.strictObject({ name: typeName, version: version.optional() }))
    .min(1)
    .max(TYPES_MAX),
  capacity: z.number().int().min(1).max(CAPACITY_MAX),
  waitMs: z.number().int().min(0).max(WAIT_MS_MAX).optional(),
}) as z.ZodType<ClaimsBody>

export const renewBody: z.ZodType<RenewBody> = z.strictObject({
  waitMs: z.number().int().min(0).max(WAIT_MS_MAX).optional(),
}) as z.ZodType<RenewBody>

const failure = z.looseObject({
  message: z.string().max(65_536),
  code: errorCode.optional(),
  stack: z.string().max(65_536).optional(),
})

const claimFailed = z.looseObject({ kind: z.literal("failed"), error: failure })
const claimReleased = z.looseObject({ kind: z.literal("released") })

export const claimEnd: z.ZodType<ClaimEnd> = z.discriminatedUnion("kind", [
  claimFailed,
  claimReleased,
]) as unknown as z.ZodType<ClaimEnd>

/** Their values are checked for shape only: `JSON.parse` made them, and the control plane looks at those it uses. */
const anyJson = z.unknown().refine((value) => value !== undefined, "is missing")
const event = z.looseObject({
  type: key,
  key,
  value: z.unknown().optional(),
  headers: z.looseObject({ operation: z.enum(["insert", "update", "delete"]) }),
})
const attachmentIds = z
  .array(z.string().refine(isAttachmentId, "must be an attachment's id: 64 hexadecimal digits"))
  .max(MESSAGE_ATTACHMENTS_MAX)
const outgoing = z.looseObject({
  id: key,
  to: entityUrl,
  content: anyJson,
  attachments: attachmentIds.optional(),
  mode: z.enum(["steer", "queue", "interrupt"]),
  dueAtMs: z.number().int().min(0).optional(),
})
const child = z.looseObject({
  type: typeName,
  id: z.string().max(128),
  args: z.record(z.string(), z.unknown()),
  tags: z.record(z.string(), z.string().max(256)).optional(),
  message: z.looseObject({ id: key, content: anyJson, attachments: attachmentIds.optional() }).optional(),
  wake: z.enum(["finished", "never"]),
  budget: budget.optional(),
})
const outcome = z.discriminatedUnion("kind", [
  z.looseObject({ kind: z.literal("completed"), reply: anyJson }),
  z.looseObject({ kind: z.literal("failed"), error: z.looseObject({ code: errorCode, message: z.string() }) }),
  z.looseObject({ kind: z.literal("suspended"), left: z.number().int().min(0).optional() }),
  z.looseObject({ kind: z.literal("sliced") }),
  z.looseObject({ kind: z.literal("interrupted"), reason: z.string() }),
])

export const handlerCommit: z.ZodType<HandlerCommit> = z.looseObject({
  seq: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER),
  events: z.array(event).max(EVENTS_MAX),
  take: z.array(key).max(LIST_MAX).optional(),
  run: key.optional(),
  sends: z.array(outgoing).max(LIST_MAX).optional(),
  spawns: z.array(child).max(LIST_MAX).optional(),
  schedules: z
    .array(z.looseObject({ name: z.string() }))
    .max(LIST_MAX)
    .optional(),
  observes: z
    .array(z.looseObject({ name: z.string() }))
    .max(LIST_MAX)
    .optional(),
  tags: z.record(z.string(), z.string().max(256).nullable()).optional(),
  approvals: z
    .array(z.looseObject({ call: key, tool: z.string(), input: anyJson }))
    .max(LIST_MAX)
    .optional(),
  reserve: z.looseObject({ step: key, usd: z.number().min(0), tokens: z.number().min(0) }).optional(),
  budgets: z
    .array(z.looseObject({ entity: entityUrl, call: key }))
    .max(LIST_MAX)
    .optional(),
  attachments: z
    .array(z.looseObject({ id: key, text: z.string() }))
    .max(LIST_MAX)
    .optional(),
  schema: z.number().int().min(1).optional(),
  finish: outcome.optional(),
}) as unknown as z.ZodType<HandlerCommit>

export const wakeAnswer: z.ZodType<WakeAnswer> = z.discriminatedUnion("kind", [
  z.looseObject({ kind: z.literal("finished"), commit: handlerCommit }),
  claimFailed,
  claimReleased,
  z.looseObject({ kind: z.literal("continues") }),
]) as unknown as z.ZodType<WakeAnswer>
