import type { EntityUrl } from "@rouse/protocol"
import { type Context, Hono } from "hono"
import type { Plane } from "../plane.ts"
import { fail, heartbeat, progress, release, type Reporting, result } from "../work/reports.ts"
import { type Env, urlOf } from "./entity-routes.ts"
import { mount, takeBody } from "./mount.ts"
import type { Taking } from "./operations/operation.ts"
import {
  claimToolCalls,
  failToolCall,
  finishToolCall,
  heartbeatToolCall,
  progressToolCall,
  releaseToolCall,
} from "./operations/tool-workers.ts"

/** `POST /v1/tool-claims`: calls for a worker. */
export async function postToolClaims(plane: Plane, c: Context<Env>, stop: AbortSignal): Promise<Response> {
  const { body } = await takeBody(plane, c, claimToolCalls)
  const gone = AbortSignal.any([stop, c.req.raw.signal])
  return c.json(await plane.work.claim(body, c.get("principal"), gone))
}

/** `/v1/tool-calls/{type}/{id}/{call}/…`: what a worker says of a call that it claimed. */
export function workRoutes(plane: Plane): Hono<Env> {
  const app = new Hono<Env>()
  const report = <T>(
    operation: Taking<T>,
    act: (reporting: Reporting, body: T) => Promise<object>,
    bytesMax: number = plane.limits.bodyBytesMax,
  ): void => {
    mount(app, operation, async (c) => {
      const url: EntityUrl = urlOf(c)
      const body = plane.redaction.value((await takeBody(plane, c, operation, bytesMax)).body)
      return c.json(await act({ url, call: c.req.param("call") ?? "", by: c.get("principal") }, body))
    })
  }
  report(heartbeatToolCall, (reporting, { claim }) => heartbeat(plane, reporting, claim))
  report(progressToolCall, (reporting, body) => progress(plane, reporting, body))
  report(finishToolCall, (reporting, body) => result(plane, reporting, body), plane.limits.commitBytesMax)
  report(failToolCall, (reporting, body) => fail(plane, reporting, body))
  report(releaseToolCall, (reporting, body) => release(plane, reporting, body))
  return app
}
