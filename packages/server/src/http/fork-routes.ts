import { type Forked, parseEntityUrl, RouseError } from "@rouse/protocol"
import { type Context, Hono } from "hono"
import { summaryOf } from "../core/control.ts"
import { fork, type ForkOutcome } from "../fork/fork.ts"
import type { Plane } from "../plane.ts"
import { once, receiptKey } from "../receipts.ts"
import { type Env, needRecord, tailOf, urlOf } from "./entity-routes.ts"
import { mount, takeBody } from "./mount.ts"
import { forkEntity } from "./operations/entities.ts"

/** `POST /v1/entities/{type}/{id}/fork` */
export function forkRoutes(plane: Plane): Hono<Env> {
  const app = new Hono<Env>()
  mount(app, forkEntity, (c) => post(plane, c))
  return app
}

async function post(plane: Plane, c: Context<Env>): Promise<Response> {
  const source = urlOf(c)
  const { text, body: asked } = await takeBody(plane, c, forkEntity)
  const { at, id, tree = false, message, run = false, tags = {}, budget, schedules = false } = asked
  const from = c.get("principal")
  const receipt = await receiptKey(c.req.raw, from, text)
  await needRecord(plane, source)
  const input = {
    source,
    type: parseEntityUrl(source)?.type ?? "",
    ...(at === undefined ? {} : { at }),
    ...(id === undefined ? {} : { id }),
    ...(message === undefined ? {} : { message }),
    ...(budget === undefined ? {} : { budget }),
    ...{ tree, run, tags, schedules, from, parent: null, keepRun: true },
  }
  const outcome = await once<ForkOutcome>(plane, receipt, (note) => fork(plane, input, note))
  const record = await plane.store.entity(outcome.url)
  if (!record) throw new RouseError("UNKNOWN_ENTITY", `${outcome.url} was deleted`)
  const { from: point, forks } = outcome
  const body: Forked = { entity: summaryOf(record), offset: await tailOf(plane, outcome.url), from: point, forks }
  return c.json(body, outcome.created ? 201 : 200, { location: `/v1/entities${outcome.url}` })
}
