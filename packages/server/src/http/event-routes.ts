import { RouseError } from "@rouse/protocol"
import { isSourceName } from "@rouse/protocol/webhook-schemas"
import { Hono } from "hono"
import type { EventSubscriptions } from "../events/event-subscriptions.ts"
import type { Plane } from "../plane.ts"
import type { Env } from "./entity-routes.ts"
import { mount, takeBody } from "./mount.ts"
import {
  deleteEventSubscription,
  getEventSubscription,
  listEventSubscriptions,
  setEventSubscription,
} from "./operations/webhooks.ts"

/** `/v1/event-subscriptions` */
export function eventRoutes(plane: Plane, subscriptions: EventSubscriptions): Hono<Env> {
  const app = new Hono<Env>()
  mount(app, listEventSubscriptions, async (c) => c.json({ subscriptions: await subscriptions.list() }))
  mount(app, getEventSubscription, async (c) => c.json(await subscriptions.describe(c.req.param("name") ?? "")))
  mount(app, setEventSubscription, async (c) => {
    const name = c.req.param("name") ?? ""
    if (!isSourceName(name))
      throw new RouseError("BAD_REQUEST", `name: "${name}" must be 1 to 64 lower-case letters, digits, _ and -`)
    const { body } = await takeBody(plane, c, setEventSubscription)
    const made = await subscriptions.make(name, body)
    return c.json(await subscriptions.need(name), made ? 201 : 200)
  })
  mount(app, deleteEventSubscription, async (c) => {
    await subscriptions.remove(c.req.param("name") ?? "")
    return c.body(null, 204)
  })
  return app
}
