import { valueAt, RouseError, type WebhookReceipt } from "@rouse/protocol"
import { isSourceName } from "@rouse/protocol/webhook-schemas"
import { type Context, Hono } from "hono"
import type { Plane } from "../plane.ts"
import { acceptDelivery } from "../webhooks/accept.ts"
import { readDelivery } from "../webhooks/read-delivery.ts"
import type { WebhookSources } from "../webhooks/sources.ts"
import { type Secrets, verify } from "../webhooks/verify.ts"
import { readBytes } from "./body.ts"
import type { Env } from "./entity-routes.ts"
import { mount, takeBody } from "./mount.ts"
import {
  deleteWebhookSource,
  getWebhookSource,
  listWebhookSources,
  receiveWebhook,
  setWebhookSource,
} from "./operations/webhooks.ts"

export interface WebhookDesk {
  readonly sources: WebhookSources
  readonly secrets: Secrets
}

/** Status of each outcome. A sender that is answered anything but 2xx tries again, so what is not wanted is well received too. */
const STATUS = { accepted: 202, filtered: 200, duplicate: 200 } as const

/** `POST /v1/webhooks/{source}`: open to whoever can sign. */
export function webhookRoutes(plane: Plane, desk: WebhookDesk): Hono<Env> {
  const app = new Hono<Env>()
  mount(app, receiveWebhook, async (c) => {
    const source = await desk.sources.need(c.req.param("source") ?? "")
    const bytes = await readBytes(c.req.raw, plane.limits.bodyBytesMax)
    const nowMs = plane.clock()
    const claim = await verify(source, c.req.raw.headers, bytes, desk.secrets, nowMs)
    const delivery = await readDelivery(source, claim, c.req.header("content-type") ?? "", bytes, nowMs)
    const challenge =
      source.kind === "slack" ? challengeOf(delivery.event, valueAt(delivery.body, "challenge")) : undefined
    if (challenge !== undefined) return c.json({ challenge })
    const receipt: WebhookReceipt = await acceptDelivery(plane, source, delivery)
    // Slack shows people what a command is answered.
    return source.kind === "slack" ? c.body(null, 200) : c.json(receipt, STATUS[receipt.status])
  })
  return app
}

function challengeOf(event: string, challenge: unknown): string | undefined {
  return event === "url_verification" && typeof challenge === "string" ? challenge : undefined
}

/** `/v1/webhook-sources` */
export function webhookSourceRoutes(plane: Plane, { sources }: WebhookDesk): Hono<Env> {
  const app = new Hono<Env>()
  mount(app, listWebhookSources, async (c) => c.json({ sources: await sources.list() }))
  mount(app, getWebhookSource, async (c) => c.json(await sources.need(c.req.param("name") ?? "")))
  mount(app, setWebhookSource, async (c) => {
    const name = nameOf(c)
    const { body } = await takeBody(plane, c, setWebhookSource)
    for (const [index, { type }] of (body.to ?? []).entries())
      if (!plane.types.get(type)) throw new RouseError("UNKNOWN_TYPE", `to.${index}.type: there is no type "${type}"`)
    const { source, isNew } = await sources.set(name, body)
    return c.json(source, isNew ? 201 : 200)
  })
  mount(app, deleteWebhookSource, async (c) => {
    await sources.remove(c.req.param("name") ?? "")
    return c.body(null, 204)
  })
  return app
}

function nameOf(c: Context<Env>): string {
  const name = c.req.param("name") ?? ""
  if (isSourceName(name)) return name
  throw new RouseError("BAD_REQUEST", `name: "${name}" must be 1 to 64 lower-case letters, digits, _ and -`)
}
