import { approvalBody } from "@rouse/protocol/schemas"
import { approvalQuery } from "@rouse/protocol/work-schemas"
import type { Context } from "hono"
import { waitingApprovals } from "../approval/list.ts"
import { decide } from "../approvals.ts"
import type { Plane } from "../plane.ts"
import { parseBody, parseValue, readText } from "./body.ts"
import { type Env, tailOf, urlOf } from "./entity-routes.ts"

/** `GET /v1/approvals`: what waits for people, of all entities. */
export async function getApprovals(plane: Plane, c: Context<Env>): Promise<Response> {
  return c.json(await waitingApprovals(plane, parseValue(c.req.query(), approvalQuery, "query")))
}

/** `POST /v1/entities/{type}/{id}/approvals/{call}`: a decision, with or without an edit, or an answer. */
export async function postApproval(plane: Plane, c: Context<Env>): Promise<Response> {
  const url = urlOf(c)
  const body = plane.redaction.value(parseBody(await readText(c.req.raw, plane.limits.bodyBytesMax), approvalBody))
  const message = await decide(plane, { ...body, entity: url, call: c.req.param("call") ?? "", by: c.get("principal") })
  return c.json({ url, ...(message === undefined ? {} : { message }), offset: await tailOf(plane, url) }, 202)
}
