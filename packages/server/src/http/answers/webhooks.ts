import type { EventSubscription, WebhookReceipt, WebhookSource } from "@rouse/protocol"
import { json, jsonObject } from "@rouse/protocol/schemas"
import { z } from "zod"
import { time } from "./parts.ts"

export const webhookReceipt: z.ZodType<WebhookReceipt> = z.object({
  delivery: z.string(),
  status: z.enum(["accepted", "filtered", "duplicate"]),
  delivered: z.array(z.string()).exactOptional(),
  passed: z.array(z.object({ route: z.int(), reason: z.string() })).exactOptional(),
})
export const webhookAnswer: z.ZodType<WebhookReceipt | { readonly challenge: string }> = z.union([
  webhookReceipt,
  z.object({ challenge: z.string() }),
])

const where = jsonObject.exactOptional()
export const webhookSource: z.ZodType<WebhookSource> = z.object({
  name: z.string(),
  from: z.enum(["file", "api"]),
  kind: z.enum(["github", "stripe", "slack", "standard", "hmac"]),
  secrets: z.array(z.string()),
  hmac: z
    .object({
      header: z.string(),
      algorithm: z.enum(["sha1", "sha256", "sha512"]).exactOptional(),
      encoding: z.enum(["hex", "base64", "base64url"]).exactOptional(),
      prefix: z.string().exactOptional(),
      timestampHeader: z.string().exactOptional(),
      signed: z.string().exactOptional(),
      idHeader: z.string().exactOptional(),
      eventHeader: z.string().exactOptional(),
    })
    .exactOptional(),
  toleranceSeconds: z.int().exactOptional(),
  where,
  to: z
    .array(
      z.object({
        type: z.string(),
        id: z.string(),
        args: z.record(z.string(), json).exactOptional(),
        spawn: z.boolean().exactOptional(),
        where,
        message: z.string().exactOptional(),
        mode: z.enum(["steer", "queue", "interrupt"]).exactOptional(),
      }),
    )
    .exactOptional(),
  stream: z.boolean().exactOptional(),
})
export const webhookSourceList: z.ZodType<{ readonly sources: readonly WebhookSource[] }> = z.object({
  sources: z.array(webhookSource),
})

const subscription = {
  name: z.string(),
  createdAt: time,
  url: z.string(),
  secret: z.string().meta({ description: "The secret's name." }),
  types: z.array(z.string()).exactOptional(),
  events: z.array(z.string()).exactOptional(),
  collections: z.array(z.string()).exactOptional(),
  where,
}
export const eventSubscription: z.ZodType<EventSubscription> = z.object(subscription) as z.ZodType<EventSubscription>
export const eventSubscriptionState: z.ZodType<EventSubscription> = z.object({
  ...subscription,
  failures: z.int(),
  pending: z.int(),
}) as unknown as z.ZodType<EventSubscription>
export const eventSubscriptionList: z.ZodType<{ readonly subscriptions: readonly EventSubscription[] }> = z.object({
  subscriptions: z.array(eventSubscription),
})
