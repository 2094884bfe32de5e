import { type ClaimsReply, KEYS_PATH, RouseError } from "@rouse/protocol"
import {
  claimEnd,
  claimsBody,
  deployBody,
  handlerCommit,
  renewBody,
  routing,
  typeBody,
} from "@rouse/protocol/dispatch-schemas"
import { sharedRequest } from "@rouse/protocol/schemas"
import { KEY_SET_AGE_SECONDS } from "@rouse/streams"
import { type Context, Hono } from "hono"
import { commitClaimed, endClaimed, renewClaimed } from "../dispatch/claimed.ts"
import { deploy, registerType, removeType, routeType } from "../dispatch/registration.ts"
import { listTypes, typeOf } from "../dispatch/type-list.ts"
import type { HeldLease } from "../handler-commit.ts"
import type { Plane } from "../plane.ts"
import { askShared } from "../shared/agent.ts"
import { parseBody, readText } from "./body.ts"
import { claimAttachments } from "./claim-attachments.ts"
import type { Env } from "./entity-routes.ts"

const WAIT_MS = 20_000
/** What JSON may add to a commit's own size. */
const JSON_FACTOR = 2

/**
 * What a handler elsewhere calls with its claim. These are outside of the gate: the claim says all, and is asked for also where no token is.
 * A handler needs no token of the server's for it.
 */
export function claimRoutes(plane: Plane, stop: AbortSignal): Hono {
  const app = new Hono()
  app.get(KEYS_PATH, async (c) => {
    const keys = (await plane.remote.deliveries?.keys()) ?? []
    return c.json({ keys }, 200, { "cache-control": `public, max-age=${KEY_SET_AGE_SECONDS}` })
  })
  app.post("/v1/commits", async (c) => {
    const lease = await leaseOf(plane, c.req.raw)
    const text = await readText(c.req.raw, plane.limits.commitBytesMax * JSON_FACTOR)
    return c.json(await commitClaimed(plane, lease, parseBody(text, handlerCommit)))
  })
  app.post("/v1/claims/renew", async (c) => {
    const lease = await leaseOf(plane, c.req.raw)
    const { waitMs = 0 } = parseBody(await readText(c.req.raw, plane.limits.bodyBytesMax), renewBody)
    return c.json(await renewClaimed(plane, lease, waitMs, AbortSignal.any([stop, c.req.raw.signal])))
  })
  app.post("/v1/claims/end", async (c) => {
    const lease = await leaseOf(plane, c.req.raw)
    await endClaimed(plane, lease, parseBody(await readText(c.req.raw, plane.limits.bodyBytesMax), claimEnd))
    return c.body(null, 204)
  })
  app.post("/v1/claims/shared", async (c) => {
    const lease = await leaseOf(plane, c.req.raw)
    const request = parseBody(await readText(c.req.raw, plane.limits.bodyBytesMax), sharedRequest)
    return c.json(await askShared(plane, lease, request))
  })
  app.route(
    "/v1/claims/attachments",
    claimAttachments(plane, (request) => leaseOf(plane, request)),
  )
  return app
}

/** `/v1/types` and `POST /v1/claims`: behind the gate. */
export function dispatchRoutes(plane: Plane, stop: AbortSignal): Hono<Env> {
  const app = new Hono<Env>()
  app.get("/types", (c) => c.json({ types: listTypes(plane) }))
  app.post("/types", async (c) => {
    const body = parseBody(await readText(c.req.raw, plane.limits.bodyBytesMax), deployBody)
    const names = await deploy(plane, body)
    return c.json({ types: names.map((name) => typeOf(plane, name)) })
  })
  app.get("/types/:name", (c) => one(plane, c))
  app.put("/types/:name", async (c) => {
    const body = parseBody(await readText(c.req.raw, plane.limits.bodyBytesMax), typeBody)
    await registerType(plane, c.req.param("name"), body)
    return one(plane, c)
  })
  app.put("/types/:name/routing", async (c) => {
    const body = parseBody(await readText(c.req.raw, plane.limits.bodyBytesMax), routing)
    await routeType(plane, c.req.param("name"), body)
    return one(plane, c)
  })
  app.delete("/types/:name", async (c) => {
    await removeType(plane, c.req.param("name"), undefined)
    return c.body(null, 204)
  })
  app.delete("/types/:name/versions/:version", async (c) => {
    await removeType(plane, c.req.param("name"), c.req.param("version"))
    return c.body(null, 204)
  })
  app.post("/claims", async (c) => {
    const { pulls } = plane.remote
    const body = parseBody(await readText(c.req.raw, plane.limits.bodyBytesMax), claimsBody)
    if (stop.aborted) throw new RouseError("SHUTTING_DOWN", "the server is shutting down")
    if (pulls.isFull) throw new RouseError("OVERLOADED", "as many workers wait as can; try again")
    const reply: ClaimsReply = { claims: await pulls.wait(body, body.waitMs ?? WAIT_MS, c.req.raw.signal) }
    return c.json(reply)
  })
  return app
}

function one(plane: Plane, c: Context<Env>): Response {
  const name = c.req.param("name") ?? ""
  const type = typeOf(plane, name)
  if (!type) throw new RouseError("UNKNOWN_TYPE", `there is no entity type "${name}"`)
  return c.json(type)
}

function leaseOf(plane: Plane, request: Request): Promise<HeldLease> {
  return plane.remote.claims.check(request.headers.get("authorization"))
}
