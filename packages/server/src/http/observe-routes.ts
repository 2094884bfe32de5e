import type { ObservationInfo } from "@rouse/protocol"
import { observationName } from "@rouse/protocol/observe"
import { type Context, Hono } from "hono"
import { observationsOf, removeObservation, setObservation } from "../observations.ts"
import type { Plane } from "../plane.ts"
import { once, receiptKey } from "../receipts.ts"
import { type Env, needRecord, urlOf } from "./entity-routes.ts"
import { mount, takeBody } from "./mount.ts"
import { deleteObservation, listObservations, setObservation as setting } from "./operations/entities.ts"

/** `…/observations` of an entity. */
export function observeRoutes(plane: Plane): Hono<Env> {
  const app = new Hono<Env>()
  mount(app, listObservations, async (c) => {
    await needRecord(plane, urlOf(c))
    return c.json({ observations: await observationsOf(plane, urlOf(c)) })
  })
  mount(app, setting, (c) => post(plane, c))
  mount(app, deleteObservation, (c) => remove(plane, c))
  return app
}

async function post(plane: Plane, c: Context<Env>): Promise<Response> {
  const url = urlOf(c)
  const { text, body } = await takeBody(plane, c, setting)
  const receipt = await receiptKey(c.req.raw, c.get("principal"), text)
  const request = { ...body, name: body.name ?? observationName(body.source) }
  const made = await once<ObservationInfo>(plane, receipt, (note) => setObservation(plane, url, request, note))
  return c.json(made)
}

async function remove(plane: Plane, c: Context<Env>): Promise<Response> {
  const receipt = await receiptKey(c.req.raw, c.get("principal"), "")
  await once<true>(plane, receipt, async (note) => {
    await removeObservation(plane, urlOf(c), c.req.param("name") ?? "", (draft) => note(draft, true))
    return true
  })
  return c.body(null, 204)
}
