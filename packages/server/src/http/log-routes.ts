import { Hono } from "hono"
import { logPage } from "../log-pages.ts"
import type { Plane } from "../plane.ts"
import { type Env, needRecord, urlOf } from "./entity-routes.ts"
import { mount, takeQuery } from "./mount.ts"
import { readLog } from "./operations/entities.ts"

/** `GET /v1/entities/{type}/{id}/log` */
export function logRoutes(plane: Plane): Hono<Env> {
  const app = new Hono<Env>()
  mount(app, readLog, async (c) => {
    const query = takeQuery(c, readLog)
    await needRecord(plane, urlOf(c))
    return c.json(await logPage(plane, urlOf(c), query))
  })
  return app
}
