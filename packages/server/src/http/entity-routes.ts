import {
  type EntityDetail,
  type EntityPage,
  entityStreamPath,
  entityUrl,
  type EntityUrl,
  isEntityId,
  isEntityType,
  type Json,
  type Offset,
  type Principal,
  RouseError,
  type Row,
  type Spawned,
  START,
} from "@rouse/protocol"
import type { EntityRecord } from "@rouse/store"
import { type Context, Hono } from "hono"
import { shownSummary } from "../dispatch/type-list.ts"
import { parseWait } from "../core/duration.ts"
import { orderRows } from "../core/snapshot-order.ts"
import type { Plane } from "../plane.ts"
import { once, receiptKey } from "../receipts.ts"
import { remove, tag } from "../entities.ts"
import { stateAt } from "../fork/past-state.ts"
import { allRows } from "../history.ts"
import { tombstoneOf } from "../purge.ts"
import { waitForSettled } from "../settlement.ts"
import { signal } from "../signals.ts"
import { spawn, type SpawnOutcome } from "../spawn.ts"
import { filterOf, listEvents } from "./list-stream.ts"
import { mount, takeBody, takeQuery } from "./mount.ts"
import {
  deleteEntity,
  getCollection,
  getEntity,
  getState,
  listEntities,
  signalEntity,
  spawnEntity,
  tagEntity,
} from "./operations/entities.ts"
import { streamResponse, wantsEvents } from "./sse.ts"

/** What the gate leaves for the routes. */
export interface Env {
  readonly Variables: { principal: Principal }
}

/** The address that a request's path names. */
export function urlOf(c: Context<Env>): EntityUrl {
  const type = c.req.param("type") ?? ""
  const id = c.req.param("id") ?? ""
  if (!isEntityType(type)) {
    throw new RouseError(
      "BAD_REQUEST",
      `type: "${type}" must be a lower-case letter, then lower-case letters, digits, _ and -`,
    )
  }
  if (!isEntityId(id)) {
    throw new RouseError(
      "BAD_REQUEST",
      `id: "${id}" must be 1 to 128 letters, digits and ._~- beginning with a letter or digit`,
    )
  }
  return entityUrl(type, id)
}

/** `/v1/entities` and what is below it, but for messages. */
export function entityRoutes(plane: Plane, stop: AbortSignal): Hono<Env> {
  const app = new Hono<Env>()
  mount(app, listEntities, (c) => list(plane, c, stop))
  mount(app, spawnEntity, (c) => put(plane, c))
  mount(app, getEntity, async (c) => c.json(await shown(plane, urlOf(c))))
  mount(app, deleteEntity, async (c) => {
    const { purge, shared } = takeQuery(c, deleteEntity)
    await remove(plane, urlOf(c), c.get("principal"), { purge: purge === "true", shared: shared === "true" })
    return c.body(null, 204)
  })
  mount(app, getState, (c) => state(plane, c))
  mount(app, getCollection, (c) => state(plane, c))
  mount(app, signalEntity, (c) => postSignal(plane, c))
  mount(app, tagEntity, async (c) => {
    const { body } = await takeBody(plane, c, tagEntity)
    await tag(plane, urlOf(c), body.tags)
    return c.json(await detailOf(plane, urlOf(c)))
  })
  return app
}

async function list(plane: Plane, c: Context<Env>, stop: AbortSignal): Promise<Response> {
  const query = takeQuery(c, listEntities)
  if (wantsEvents(c.req.raw)) {
    const gone = new AbortController()
    return streamResponse(listEvents(plane, query, AbortSignal.any([stop, gone.signal])), () => gone.abort())
  }
  const page = await plane.store.entities(filterOf(query))
  const body: EntityPage = {
    entities: page.entities.map((record) => shownSummary(plane, record)),
    ...(page.next === undefined ? {} : { next: page.next }),
  }
  return c.json(body)
}

async function put(plane: Plane, c: Context<Env>): Promise<Response> {
  const url = urlOf(c)
  const { text, body } = await takeBody(plane, c, spawnEntity)
  const { wait } = takeQuery(c, spawnEntity)
  const waitMs = wait === undefined ? undefined : parseWait(wait)
  const principal = c.get("principal")
  const receipt = await receiptKey(c.req.raw, principal, text)
  const { args = {}, tags = {}, parent = null, message, budget } = body
  const input = {
    type: c.req.param("type") ?? "",
    id: c.req.param("id") ?? "",
    args,
    tags,
    parent,
    wake: "finished",
    from: principal,
    ...(budget ? { budget } : {}),
  } as const
  const outcome = await once<SpawnOutcome>(plane, receipt, (note) =>
    spawn(plane, message === undefined ? input : { ...input, message }, note),
  )
  return spawned(plane, c, url, outcome, waitMs)
}

async function spawned(
  plane: Plane,
  c: Context<Env>,
  url: EntityUrl,
  outcome: SpawnOutcome,
  waitMs: number | undefined,
): Promise<Response> {
  const message = outcome.message === undefined ? {} : { message: outcome.message }
  const settled =
    waitMs === undefined || outcome.message === undefined
      ? {}
      : { settled: await waitForSettled(plane, url, outcome.message, waitMs, c.req.raw.signal) }
  const record = await needRecord(plane, url)
  const body: Spawned & Partial<typeof settled> = {
    entity: shownSummary(plane, record),
    offset: await tailOf(plane, url),
    ...message,
    ...settled,
  }
  return c.json(body, outcome.created ? 201 : 200, { location: `/v1/entities${url}` })
}

/** @throws {RouseError} `GONE`, with its tombstone, for one that was purged. */
async function shown(plane: Plane, url: EntityUrl): Promise<EntityDetail> {
  try {
    return await detailOf(plane, url)
  } catch (error) {
    const tombstone = RouseError.is(error, "UNKNOWN_ENTITY") ? await tombstoneOf(plane, url) : undefined
    if (!tombstone) throw error
    const { at, by, reason } = tombstone
    const message = `${url} was deleted at ${at} by ${by.id}: ${reason}`
    throw new RouseError("GONE", message, { details: { url, at, by: by.id, reason } })
  }
}

/** An entity with its log's end and what its collections hold. */
async function detailOf(plane: Plane, url: EntityUrl): Promise<EntityDetail> {
  const record = await needRecord(plane, url)
  return {
    ...shownSummary(plane, record),
    offset: await tailOf(plane, url),
    collections: await plane.store.rowCounts(url),
  }
}

async function state(plane: Plane, c: Context<Env>): Promise<Response> {
  const url = urlOf(c)
  await needRecord(plane, url)
  const collection = c.req.param("collection")
  const { at, history, ordered } = takeQuery(c, getState)
  if (history === "true") {
    const offset = await tailOf(plane, url)
    return c.json({ offset, rows: await allRows(plane, url, collection) })
  }
  if (at !== undefined) {
    const rows = (await stateAt(plane, url, at as Offset)).rows()
    const wanted = rows.filter((row) => collection === undefined || row.collection === collection)
    return c.json({ offset: at, rows: ordered === "true" ? asTold(wanted) : wanted })
  }
  const live = await plane.store.liveRows(url, entityStreamPath(url), collection)
  const rows = (live?.rows ?? []).map(({ json, ...row }) => ({ ...row, value: JSON.parse(json) as Json }))
  return c.json({ offset: live?.info.next ?? START, rows })
}

/** Rows in the order in which they came about, so that applied one by one they show what was to be seen then. */
function asTold(rows: readonly Row[]): readonly Row[] {
  const ordered = orderRows(
    rows.map(({ collection, key, value }) => ({ collection, key, json: JSON.stringify(value) })),
  )
  return ordered.map(({ collection, key, json }) => ({ collection, key, value: JSON.parse(json) as Json }))
}

async function postSignal(plane: Plane, c: Context<Env>): Promise<Response> {
  const url = urlOf(c)
  const { text, body } = await takeBody(plane, c, signalEntity)
  const receipt = await receiptKey(c.req.raw, c.get("principal"), text)
  const payload = body.payload === undefined ? {} : { payload: body.payload }
  const message = await once<string>(plane, receipt, (note) =>
    signal(plane, { to: url, from: c.get("principal"), name: body.signal, ...payload }, note),
  )
  return c.json({ url, message, offset: await tailOf(plane, url) }, 202)
}

/** @throws {RouseError} `UNKNOWN_ENTITY`. */
export async function needRecord(plane: Plane, url: EntityUrl): Promise<EntityRecord> {
  const record = await plane.store.entity(url)
  if (!record) throw new RouseError("UNKNOWN_ENTITY", `there is no entity ${url}`)
  return record
}

/** The end of an entity's log; the beginning when it has none. */
export async function tailOf(plane: Plane, url: EntityUrl): Promise<Offset> {
  return (await plane.store.stream(entityStreamPath(url)))?.next ?? START
}
