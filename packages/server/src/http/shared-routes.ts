import { type Offset, RouseError, type SharedOp, type SharedWritten, sharedStreamPath, START } from "@rouse/protocol"
import { sharedQuery } from "@rouse/protocol/schemas"
import { type Context, Hono } from "hono"
import { exportSpace } from "../bundle/space-export.ts"
import { newId } from "../core/id.ts"
import type { Plane } from "../plane.ts"
import { once, receiptKey } from "../receipts.ts"
import { claimRows } from "../shared/claims.ts"
import { defineSpace, infoOf, needSpace, sharedPath } from "../shared/definition.ts"
import { getShared, listShared, sharedAt } from "../shared/reads.ts"
import { planShared } from "../shared/writes.ts"
import { parseValue } from "./body.ts"
import { BUNDLE_TYPE } from "./bundle-routes.ts"
import type { Env } from "./entity-routes.ts"
import { mount, takeBody, takeQuery } from "./mount.ts"
import {
  claimRows as claiming,
  defineSpace as defining,
  deleteSpace,
  getSharedRow,
  getSpace,
  listSharedRows,
  listSpaces,
  writeSharedRows,
} from "./operations/shared.ts"
import { streamResponse } from "./sse.ts"

/** `/v1/shared` and what is below it. @see docs/shared.md */
export function sharedRoutes(plane: Plane): Hono<Env> {
  const app = new Hono<Env>()
  mount(app, listSpaces, (c) => list(plane, c))
  mount(app, defining, (c) => put(plane, c))
  mount(app, getSpace, async (c) => {
    const info = infoOf(await needSpace(plane, idOf(c)))
    if (c.req.header("accept") !== BUNDLE_TYPE) return c.json(info)
    const answer = streamResponse(exportSpace(plane, info.id), () => undefined)
    answer.headers.set("content-type", BUNDLE_TYPE)
    return answer
  })
  mount(app, deleteSpace, async (c) => {
    const { path } = await needSpace(plane, idOf(c))
    await plane.store.commit({ ops: [{ op: "space", path, change: { kind: "drop" }, nowMs: plane.clock() }] })
    return c.body(null, 204)
  })
  mount(app, claiming, (c) => claim(plane, c))
  mount(app, listSharedRows, (c) => rows(plane, c))
  mount(app, getSharedRow, async (c) => {
    const [collection, key] = [collectionOf(c), c.req.param("key") ?? ""]
    const row = await getShared(plane, idOf(c), collection, key)
    if (!row) throw new RouseError("NOT_FOUND", `${collection}: there is no row ${JSON.stringify(key)}`)
    return c.json(row)
  })
  mount(app, writeSharedRows, (c) => write(plane, c))
  return app
}

async function list(plane: Plane, c: Context<Env>): Promise<Response> {
  const { after, limit = 100 } = takeQuery(c, listSpaces)
  const found = await plane.store.spaces({ limit: limit + 1, ...(after ? { after: sharedPath(after) } : {}) })
  const spaces = found.slice(0, limit).map(infoOf)
  const last = spaces.at(-1)
  return c.json({ spaces, ...(found.length > limit && last ? { next: last.id } : {}) })
}

async function put(plane: Plane, c: Context<Env>): Promise<Response> {
  const id = idOf(c)
  const { body } = await takeBody(plane, c, defining)
  const made = await defineSpace(plane, id, body)
  return c.json(infoOf(await needSpace(plane, id)), made ? 201 : 200)
}

function idOf(c: Context<Env>): string {
  return c.req.param("space") ?? ""
}

function collectionOf(c: Context<Env>): string {
  return c.req.param("collection") ?? ""
}

async function rows(plane: Plane, c: Context<Env>): Promise<Response> {
  const [id, collection] = [idOf(c), collectionOf(c)]
  const { at, where, ...fields } = takeQuery(c, listSharedRows)
  const query = parseValue(
    { ...fields, ...(where === undefined ? {} : { where: parsed(where) }) },
    sharedQuery,
    "query",
  )
  if (at !== undefined) return c.json(await sharedAt(plane, id, collection, at as Offset, query))
  return c.json(await listShared(plane, id, collection, query))
}

function parsed(where: string): unknown {
  try {
    return JSON.parse(where)
  } catch {
    throw new RouseError("INVALID_ARGS", 'where: must be a JSON object, such as {"kind":"bug"}')
  }
}

async function claim(plane: Plane, c: Context<Env>): Promise<Response> {
  const space = idOf(c)
  const { body } = await takeBody(plane, c, claiming)
  const by = c.get("principal").id
  const id = body.id ?? c.req.header("idempotency-key") ?? newId(plane.clock(), plane.random)
  return c.json({ rows: await claimRows(plane, { holder: by, ...body, space, id, by }) })
}

/** The changes of one commit: `{ "ops": [{ "op": "insert", "value": … }, …] }`. */
async function write(plane: Plane, c: Context<Env>): Promise<Response> {
  const [id, collection] = [idOf(c), collectionOf(c)]
  const { text, body } = await takeBody(plane, c, writeSharedRows)
  const principal = c.get("principal")
  const receipt = await receiptKey(c.req.raw, principal, text)
  let fresh: SharedWritten | undefined
  const keys = await once<readonly string[]>(plane, receipt, async (note) => {
    const ops = body.ops.map((op): SharedOp => ({ ...op, collection }))
    const { value, result } = await plane.transactor.transact([], async ({ draft }) => {
      const planned = await planShared(plane, draft, { space: id, by: principal.id, ops })
      note(draft, planned)
      return planned
    })
    const results = (result?.spaces ?? []).flatMap((one) =>
      one.kind === "written" ? [{ key: one.key, ...(one.version === null ? {} : { version: one.version }) }] : [],
    )
    fresh = { results, offset: result?.streams[sharedStreamPath(id)]?.next ?? (await tail(plane, id)) }
    return value
  })
  return c.json(fresh ?? (await answered(plane, id, collection, keys)))
}

/** What a repeated request is answered: the rows as they are by now. */
async function answered(plane: Plane, id: string, collection: string, keys: readonly string[]): Promise<SharedWritten> {
  const results = []
  for (const key of keys) {
    const row = await getShared(plane, id, collection, key)
    results.push({ key, ...(row ? { version: row.version } : {}) })
  }
  return { results, offset: await tail(plane, id) }
}

async function tail(plane: Plane, id: string): Promise<Offset> {
  return (await plane.store.stream(sharedStreamPath(id)))?.next ?? START
}
