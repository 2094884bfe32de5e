import { usageQuery } from "@rouse/protocol/schemas"
import { Hono } from "hono"
import type { Plane } from "../plane.ts"
import { usageReport } from "../usage.ts"
import { parseValue } from "./body.ts"
import type { Env } from "./entity-routes.ts"

/** `/v1/usage` */
export function usageRoutes(plane: Plane): Hono<Env> {
  const app = new Hono<Env>()
  app.get("/", async (c) => c.json(await usageReport(plane, parseValue(c.req.query(), usageQuery, "query"))))
  return app
}
