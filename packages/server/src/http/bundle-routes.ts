import { parseEntityUrl, RouseError } from "@rouse/protocol"
import { type Context, Hono } from "hono"
import { exportBundle } from "../bundle/export.ts"
import { importBundle } from "../bundle/import.ts"
import { linesOf, peek } from "../bundle/lines.ts"
import { importSpace, isSpaceBundle } from "../bundle/space-import.ts"
import type { Plane } from "../plane.ts"
import { type Env, needRecord, urlOf } from "./entity-routes.ts"
import { mount, takeQuery } from "./mount.ts"
import { exportEntity, importEntities } from "./operations/entities.ts"
import { streamResponse } from "./sse.ts"

export const BUNDLE_TYPE = "application/x-ndjson"

/** `GET /v1/entities/{type}/{id}/export` */
export function exportRoutes(plane: Plane): Hono<Env> {
  const app = new Hono<Env>()
  mount(app, exportEntity, async (c) => {
    const url = urlOf(c)
    await needRecord(plane, url)
    const tree = takeQuery(c, exportEntity).tree === "true"
    const answer = streamResponse(exportBundle(plane, url, tree), () => undefined)
    answer.headers.set("content-type", BUNDLE_TYPE)
    return answer
  })
  return app
}

/** `POST /v1/import` */
export async function postImport(plane: Plane, c: Context<Env>): Promise<Response> {
  const { as, run } = takeQuery(c, importEntities)
  const { body } = c.req.raw
  const { first, all } = await peek(body ? linesOf(body) : nothing())
  if (first !== undefined && isSpaceBundle(first)) {
    if (as !== undefined && !as.startsWith("shared/"))
      throw new RouseError("BAD_REQUEST", `as: "${as}" must look like shared/id`)
    return c.json(await importSpace(plane, all, c.get("principal").id, as?.slice("shared/".length)), 201)
  }
  if (as !== undefined && parseEntityUrl(as) === undefined)
    throw new RouseError("BAD_REQUEST", `as: "${as}" must look like /type/id`)
  return c.json(await importBundle(plane, all, { run: run === "true", ...(as === undefined ? {} : { as }) }), 201)
}

async function* nothing(): AsyncGenerator<Buffer> {}
