import type { Context } from "hono"
import { waitingApprovals } from "../approval/list.ts"
import { decide } from "../approvals.ts"
import type { Plane } from "../plane.ts"
import { type Env, tailOf, urlOf } from "./entity-routes.ts"
import { takeBody, takeQuery } from "./mount.ts"
import { decideApproval } from "./operations/entities.ts"
import { listApprovals } from "./operations/operators.ts"

/** `GET /v1/approvals`: what waits for people, of all entities. */
export async function getApprovals(plane: Plane, c: Context<Env>): Promise<Response> {
  return c.json(await waitingApprovals(plane, takeQuery(c, listApprovals)))
}

/** `POST /v1/entities/{type}/{id}/approvals/{call}`: a decision, with or without an edit, or an answer. */
export async function postApproval(plane: Plane, c: Context<Env>): Promise<Response> {
  const url = urlOf(c)
  const body = plane.redaction.value((await takeBody(plane, c, decideApproval)).body)
  const message = await decide(plane, { ...body, entity: url, call: c.req.param("call") ?? "", by: c.get("principal") })
  return c.json({ url, ...(message === undefined ? {} : { message }), offset: await tailOf(plane, url) }, 202)
}
