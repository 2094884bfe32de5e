import { logPageQuery } from "@rouse/protocol/schemas"
import { Hono } from "hono"
import { logPage } from "../log-pages.ts"
import type { Plane } from "../plane.ts"
import { parseValue } from "./body.ts"
import { type Env, needRecord, urlOf } from "./entity-routes.ts"

/** `GET /v1/entities/{type}/{id}/log` */
export function logRoutes(plane: Plane): Hono<Env> {
  const app = new Hono<Env>()
  app.get("/:type/:id/log", async (c) => {
    const query = parseValue(c.req.query(), logPageQuery, "query")
    await needRecord(plane, urlOf(c))
    return c.json(await logPage(plane, urlOf(c), query))
  })
  return app
}
