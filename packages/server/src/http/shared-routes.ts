import { type Offset, RouseError, type SharedOp, type SharedWritten, sharedStreamPath, START } from "@rouse/protocol"
import { sharedClaimBody, sharedOps, sharedQuery } from "@rouse/protocol/schemas"
import { type Context, Hono } from "hono"
import { newId } from "../core/id.ts"
import type { Plane } from "../plane.ts"
import { once, receiptKey } from "../receipts.ts"
import { claimRows } from "../shared/claims.ts"
import { defineSpace, infoOf, needSpace, sharedPath } from "../shared/definition.ts"
import { getShared, listShared, sharedAt } from "../shared/reads.ts"
import { planShared } from "../shared/writes.ts"
import { parseBody, parseText, parseValue, readText } from "./body.ts"
import type { Env } from "./entity-routes.ts"

const LIST_MAX = 1_000

/** `/v1/shared` and what is below it. @see docs/shared.md */
export function sharedRoutes(plane: Plane): Hono<Env> {
  const app = new Hono<Env>()
  app.get("/", (c) => list(plane, c))
  app.put("/:id", (c) => put(plane, c))
  app.get("/:id", async (c) => c.json(infoOf(await needSpace(plane, c.req.param("id")))))
  app.delete("/:id", async (c) => {
    const { path } = await needSpace(plane, c.req.param("id"))
    await plane.store.commit({ ops: [{ op: "space", path, change: { kind: "drop" }, nowMs: plane.clock() }] })
    return c.body(null, 204)
  })
  app.post("/:id/claims", (c) => claim(plane, c))
  app.get("/:id/:collection", (c) => rows(plane, c))
  app.get("/:id/:collection/:key", async (c) => {
    const { id, collection, key } = c.req.param()
    const row = await getShared(plane, id, collection, key)
    if (!row) throw new RouseError("NOT_FOUND", `${collection}: there is no row ${JSON.stringify(key)}`)
    return c.json(row)
  })
  app.post("/:id/:collection", (c) => write(plane, c))
  return app
}

async function list(plane: Plane, c: Context<Env>): Promise<Response> {
  const { after, limit: asked } = c.req.query()
  const limit = asked === undefined ? 100 : Number(asked)
  if (!Number.isInteger(limit) || limit < 1 || limit > LIST_MAX) {
    throw new RouseError("INVALID_ARGS", `limit: must be 1 to ${LIST_MAX}`)
  }
  const found = await plane.store.spaces({ limit: limit + 1, ...(after ? { after: sharedPath(after) } : {}) })
  const spaces = found.slice(0, limit).map(infoOf)
  const last = spaces.at(-1)
  return c.json({ spaces, ...(found.length > limit && last ? { next: last.id } : {}) })
}

async function put(plane: Plane, c: Context<Env>): Promise<Response> {
  const id = c.req.param("id") ?? ""
  const text = await readText(c.req.raw, plane.limits.bodyBytesMax)
  const made = await defineSpace(plane, id, parseText(text))
  return c.json(infoOf(await needSpace(plane, id)), made ? 201 : 200)
}

async function rows(plane: Plane, c: Context<Env>): Promise<Response> {
  const { id = "", collection = "" } = c.req.param() as { readonly id?: string; readonly collection?: string }
  const { at, where, ...fields } = c.req.query()
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
  const space = c.req.param("id") ?? ""
  const body = parseBody(await readText(c.req.raw, plane.limits.bodyBytesMax), sharedClaimBody)
  const by = c.get("principal").id
  const id = body.id ?? c.req.header("idempotency-key") ?? newId(plane.clock(), plane.random)
  return c.json({ rows: await claimRows(plane, { holder: by, ...body, space, id, by }) })
}

/** The changes of one commit: `{ "ops": [{ "op": "insert", "value": … }, …] }`. */
async function write(plane: Plane, c: Context<Env>): Promise<Response> {
  const { id = "", collection = "" } = c.req.param() as { readonly id?: string; readonly collection?: string }
  const text = await readText(c.req.raw, plane.limits.bodyBytesMax)
  const principal = c.get("principal")
  const receipt = await receiptKey(c.req.raw, principal, text)
  let fresh: SharedWritten | undefined
  const keys = await once<readonly string[]>(plane, receipt, async (note) => {
    const ops = opsOf(parseText(text), collection)
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

function opsOf(body: unknown, collection: string): readonly SharedOp[] {
  const { ops, ...unknown } = (typeof body === "object" && body !== null ? body : {}) as { readonly ops?: unknown }
  const more = Object.keys(unknown)[0]
  if (more !== undefined) throw new RouseError("INVALID_ARGS", `${more}: is not known here`)
  if (!Array.isArray(ops)) throw new RouseError("INVALID_ARGS", "ops: must be a list of changes")
  const named = (ops as readonly unknown[]).map((op) =>
    typeof op === "object" && op !== null ? { ...op, collection } : op,
  )
  return parseValue(named, sharedOps, "ops")
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
