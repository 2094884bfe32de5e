import { Hono } from "hono"
import type { Plane } from "../plane.ts"
import { usageReport } from "../usage.ts"
import type { Env } from "./entity-routes.ts"
import { mount, takeQuery } from "./mount.ts"
import { getUsage } from "./operations/operators.ts"

/** `/v1/usage` */
export function usageRoutes(plane: Plane): Hono<Env> {
  const app = new Hono<Env>()
  mount(app, getUsage, async (c) => c.json(await usageReport(plane, takeQuery(c, getUsage))))
  return app
}
