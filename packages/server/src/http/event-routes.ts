import { RouseError } from "@rouse/protocol"
import { eventSubscriptionBody } from "@rouse/protocol/event-schemas"
import { isSourceName } from "@rouse/protocol/webhook-schemas"
import { Hono } from "hono"
import type { EventSubscriptions } from "../events/event-subscriptions.ts"
import type { Plane } from "../plane.ts"
import { parseBody, readText } from "./body.ts"
import type { Env } from "./entity-routes.ts"

/** `/v1/event-subscriptions` */
export function eventRoutes(plane: Plane, subscriptions: EventSubscriptions): Hono<Env> {
  const app = new Hono<Env>()
  app.get("/", (c) => c.json({ subscriptions: subscriptions.list() }))
  app.get("/:name", async (c) => c.json(await subscriptions.describe(c.req.param("name"))))
  app.put("/:name", async (c) => {
    const name = c.req.param("name")
    if (!isSourceName(name))
      throw new RouseError("BAD_REQUEST", `name: "${name}" must be 1 to 64 lower-case letters, digits, _ and -`)
    const body = parseBody(await readText(c.req.raw, plane.limits.bodyBytesMax), eventSubscriptionBody)
    const made = await subscriptions.make(name, body)
    return c.json(subscriptions.need(name), made ? 201 : 200)
  })
  app.delete("/:name", async (c) => {
    await subscriptions.remove(c.req.param("name"))
    return c.body(null, 204)
  })
  return app
}
