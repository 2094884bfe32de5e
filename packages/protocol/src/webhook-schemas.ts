import { z } from "zod"
import { RouseError } from "./errors.ts"
import { json } from "./json-schema.ts"
import { isEntityType } from "./entity.ts"
import type { WebhookRoute, WebhookSourceBody } from "./webhooks.ts"
import type { Where } from "./observe.ts"
import { checkWhere } from "./observe-where.ts"

/** Checks of what is said of webhook sources. */

const SECRETS_MAX = 3
const ROUTES_MAX = 16
const TOLERANCE_SECONDS_MAX = 86_400

const secretName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/, "must name a secret: letters, digits and _.- only; never its value")
const header = z.string().regex(/^[A-Za-z0-9-]{1,64}$/, "must name a header: letters, digits and - only")
const template = z.string().min(1).max(4_096)

export const where: z.ZodType<Where> = z.unknown().transform((value, context) => {
  try {
    return checkWhere(value, "where")
  } catch (error) {
    if (!RouseError.is(error, "INVALID_ARGS")) throw error
    context.addIssue({ code: "custom", message: error.message.replace(/^where[:.]? ?/, "") })
    return z.NEVER
  }
})

const route: z.ZodType<WebhookRoute> = z.strictObject({
  type: z.string().refine(isEntityType, "must name an entity type: lower-case letters, digits, _ and -"),
  id: template.max(256),
  args: z.record(z.string(), json).optional(),
  spawn: z.boolean().optional(),
  where: where.optional(),
  message: template.optional(),
  mode: z.enum(["steer", "queue", "interrupt"]).optional(),
}) as z.ZodType<WebhookRoute>

const hmac = z.strictObject({
  header,
  algorithm: z.enum(["sha1", "sha256", "sha512"]).optional(),
  encoding: z.enum(["hex", "base64", "base64url"]).optional(),
  prefix: z.string().max(32).optional(),
  timestampHeader: header.optional(),
  signed: z
    .string()
    .max(256)
    .refine((value) => value.includes("{body}"), "must hold {body}")
    .optional(),
  idHeader: header.optional(),
  eventHeader: header.optional(),
})

export const webhookSourceBody: z.ZodType<WebhookSourceBody> = z
  .strictObject({
    kind: z.enum(["github", "stripe", "slack", "standard", "hmac"]),
    secrets: z.array(secretName).min(1).max(SECRETS_MAX),
    hmac: hmac.optional(),
    toleranceSeconds: z.number().int().min(1).max(TOLERANCE_SECONDS_MAX).optional(),
    where: where.optional(),
    to: z.array(route).max(ROUTES_MAX).optional(),
    stream: z.boolean().optional(),
  })
  .refine((body) => (body.kind === "hmac") === (body.hmac !== undefined), {
    message: "says how a source of kind hmac signs, and is for no other",
    path: ["hmac"],
  })
  .refine((body) => body.stream !== false || (body.to ?? []).length > 0, {
    message: "without routes and without a stream it would go nowhere",
    path: ["to"],
  })
  .refine(
    ({ hmac: scheme }) => scheme?.signed?.includes("{timestamp}") !== true || scheme.timestampHeader !== undefined,
    { message: "holds {timestamp}, so timestampHeader must say where it is", path: ["hmac", "signed"] },
  )
  .refine(
    ({ hmac: scheme }) =>
      scheme?.timestampHeader === undefined || scheme.signed === undefined || scheme.signed.includes("{timestamp}"),
    { message: "must hold {timestamp}: a time that is not signed says nothing", path: ["hmac", "signed"] },
  ) as z.ZodType<WebhookSourceBody>

/** What may name a source. */
export function isSourceName(name: string): boolean {
  return /^[a-z0-9][a-z0-9_-]{0,63}$/.test(name)
}
