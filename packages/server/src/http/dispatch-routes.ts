import { type ClaimsReply, RouseError } from "@rouse/protocol"
import { KEY_SET_AGE_SECONDS } from "@rouse/streams"
import { type Context, Hono } from "hono"
import { commitClaimed, endClaimed, renewClaimed } from "../dispatch/claimed.ts"
import { deploy, registerType, removeType, routeType } from "../dispatch/registration.ts"
import { listTypes as allTypes, typeOf } from "../dispatch/type-list.ts"
import type { HeldLease } from "../handler-commit.ts"
import type { Plane } from "../plane.ts"
import { askShared as answerShared } from "../shared/agent.ts"
import { claimAttachments } from "./claim-attachments.ts"
import type { Env } from "./entity-routes.ts"
import { mount, takeBody } from "./mount.ts"
import {
  askShared,
  claimWakes,
  commitWake,
  deleteType,
  deleteVersion,
  deployTypes,
  endClaim,
  getKeys,
  getType,
  listTypes,
  registerType as registering,
  renewClaim,
  routeType as routing,
} from "./operations/handlers.ts"

const WAIT_MS = 20_000
/** What JSON may add to a commit's own size. */
const JSON_FACTOR = 2

/**
 * What a handler elsewhere calls with its claim. These are outside of the gate: the claim says all, and is asked for also where no token is.
 * A handler needs no token of the server's for it.
 */
export function claimRoutes(plane: Plane, stop: AbortSignal): Hono {
  const app = new Hono()
  mount(app, getKeys, async (c) => {
    const keys = (await plane.remote.deliveries?.keys()) ?? []
    return c.json({ keys }, 200, { "cache-control": `public, max-age=${KEY_SET_AGE_SECONDS}` })
  })
  mount(app, commitWake, async (c) => {
    const lease = await leaseOf(plane, c.req.raw)
    const { body } = await takeBody(plane, c, commitWake, plane.limits.commitBytesMax * JSON_FACTOR)
    return c.json(await commitClaimed(plane, lease, body))
  })
  mount(app, renewClaim, async (c) => {
    const lease = await leaseOf(plane, c.req.raw)
    const { waitMs = 0 } = (await takeBody(plane, c, renewClaim)).body
    return c.json(await renewClaimed(plane, lease, waitMs, AbortSignal.any([stop, c.req.raw.signal])))
  })
  mount(app, endClaim, async (c) => {
    const lease = await leaseOf(plane, c.req.raw)
    await endClaimed(plane, lease, (await takeBody(plane, c, endClaim)).body)
    return c.body(null, 204)
  })
  mount(app, askShared, async (c) => {
    const lease = await leaseOf(plane, c.req.raw)
    return c.json(await answerShared(plane, lease, (await takeBody(plane, c, askShared)).body))
  })
  app.route(
    "/",
    claimAttachments(plane, (request) => leaseOf(plane, request)),
  )
  return app
}

/** `/v1/types` and `POST /v1/claims`: behind the gate. */
export function dispatchRoutes(plane: Plane, stop: AbortSignal): Hono<Env> {
  const app = new Hono<Env>()
  mount(app, listTypes, async (c) => {
    await plane.remote.registry.refresh()
    return c.json({ types: allTypes(plane) })
  })
  mount(app, deployTypes, async (c) => {
    const { body } = await takeBody(plane, c, deployTypes)
    const names = await deploy(plane, body)
    return c.json({ types: names.map((name) => typeOf(plane, name)) })
  })
  mount(app, getType, async (c) => {
    await plane.remote.registry.refresh()
    return one(plane, c)
  })
  mount(app, registering, async (c) => {
    const { body } = await takeBody(plane, c, registering)
    await registerType(plane, nameOf(c), body)
    return one(plane, c)
  })
  mount(app, routing, async (c) => {
    const { body } = await takeBody(plane, c, routing)
    await routeType(plane, nameOf(c), body)
    return one(plane, c)
  })
  mount(app, deleteType, async (c) => {
    await removeType(plane, nameOf(c), undefined)
    return c.body(null, 204)
  })
  mount(app, deleteVersion, async (c) => {
    await removeType(plane, nameOf(c), c.req.param("version"))
    return c.body(null, 204)
  })
  mount(app, claimWakes, async (c) => {
    const { pulls } = plane.remote
    const { body } = await takeBody(plane, c, claimWakes)
    if (stop.aborted) throw new RouseError("SHUTTING_DOWN", "the server is shutting down")
    if (pulls.isFull) throw new RouseError("OVERLOADED", "as many workers wait as can; try again")
    const reply: ClaimsReply = { claims: await pulls.wait(body, body.waitMs ?? WAIT_MS, c.req.raw.signal) }
    return c.json(reply)
  })
  return app
}

function one(plane: Plane, c: Context<Env>): Response {
  const name = nameOf(c)
  const type = typeOf(plane, name)
  if (!type) throw new RouseError("UNKNOWN_TYPE", `there is no entity type "${name}"`)
  return c.json(type)
}

function nameOf(c: Context<Env>): string {
  return c.req.param("name") ?? ""
}

function leaseOf(plane: Plane, request: Request): Promise<HeldLease> {
  return plane.remote.claims.check(request.headers.get("authorization"))
}
