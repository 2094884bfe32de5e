import type { EntityUrl } from "@rouse/protocol"
import {
  toolClaimBody,
  toolFailBody,
  toolHeartbeatBody,
  toolProgressBody,
  toolReleaseBody,
  toolResultBody,
} from "@rouse/protocol/work-schemas"
import { type Context, Hono } from "hono"
import type { z } from "zod"
import type { Plane } from "../plane.ts"
import { fail, heartbeat, progress, release, type Reporting, result } from "../work/reports.ts"
import { parseBody, readText } from "./body.ts"
import { type Env, urlOf } from "./entity-routes.ts"

/** `POST /v1/tool-claims`: calls for a worker. */
export async function postToolClaims(plane: Plane, c: Context<Env>, stop: AbortSignal): Promise<Response> {
  const body = parseBody(await readText(c.req.raw, plane.limits.bodyBytesMax), toolClaimBody)
  const gone = AbortSignal.any([stop, c.req.raw.signal])
  return c.json(await plane.work.claim(body, c.get("principal"), gone))
}

/** `/v1/tool-calls/{type}/{id}/{call}/…`: what a worker says of a call that it claimed. */
export function workRoutes(plane: Plane): Hono<Env> {
  const app = new Hono<Env>()
  const report = <T>(
    verb: string,
    schema: z.ZodType<T>,
    act: (reporting: Reporting, body: T) => Promise<object>,
    bytesMax: number = plane.limits.bodyBytesMax,
  ): void => {
    app.post(`/:type/:id/:call/${verb}`, async (c) => {
      const url: EntityUrl = urlOf(c)
      const body = plane.redaction.value(parseBody(await readText(c.req.raw, bytesMax), schema))
      return c.json(await act({ url, call: c.req.param("call") ?? "", by: c.get("principal") }, body))
    })
  }
  report("heartbeat", toolHeartbeatBody, (reporting, { claim }) => heartbeat(plane, reporting, claim))
  report("progress", toolProgressBody, (reporting, body) => progress(plane, reporting, body))
  report("result", toolResultBody, (reporting, body) => result(plane, reporting, body), plane.limits.commitBytesMax)
  report("fail", toolFailBody, (reporting, body) => fail(plane, reporting, body))
  report("release", toolReleaseBody, (reporting, body) => release(plane, reporting, body))
  return app
}
