import { OCTETS, mediaTypeOf, RouseError } from "@rouse/protocol"
import { type Context, Hono } from "hono"
import { deleteAttachment, listAttachments, putAttachment, readBytes, readRecord } from "../attachments/attachments.ts"
import { announcedDigest, attachmentHeaders, etagOf, nameOf } from "../core/attachment-headers.ts"
import { infoOf } from "../core/attachment-record.ts"
import { parseRange } from "../core/byte-range.ts"
import type { Plane } from "../plane.ts"
import { type Env, needRecord, urlOf } from "./entity-routes.ts"
import { mount, takeQuery } from "./mount.ts"
import {
  deleteAttachment as deleting,
  getAttachment,
  listAttachments as listing,
  putAttachment as putting,
} from "./operations/files.ts"

/** `/v1/entities/{type}/{id}/attachments`. @see docs/attachments.md */
export function attachmentRoutes(plane: Plane): Hono<Env> {
  const app = new Hono<Env>()
  mount(app, listing, (c) => list(plane, c))
  mount(app, putting, (c) => post(plane, c))
  mount(app, getAttachment, (c) => get(plane, c))
  mount(app, deleting, async (c) => {
    await deleteAttachment(plane, urlOf(c), c.req.param("attachment") ?? "")
    return c.body(null, 204)
  })
  return app
}

async function list(plane: Plane, c: Context<Env>): Promise<Response> {
  const url = urlOf(c)
  await needRecord(plane, url)
  const { after, limit } = takeQuery(c, listing)
  return c.json(await listAttachments(plane, url, after, limit))
}

async function post(plane: Plane, c: Context<Env>): Promise<Response> {
  const url = urlOf(c)
  const { headers, body } = c.req.raw
  const type = headers.get("content-type") ?? OCTETS
  if (type.startsWith("multipart/"))
    throw new RouseError(
      "UNSUPPORTED_MEDIA_TYPE",
      "Content-Type: send the file itself as the body, with its own type, not a form",
    )
  const mediaType = mediaTypeOf(type)
  if (mediaType === undefined)
    throw new RouseError(
      "UNSUPPORTED_MEDIA_TYPE",
      "Content-Type: must be a media type such as image/png, with no parameter but charset",
    )
  const digest = announcedDigest(headers)
  const length = headers.get("content-length")
  const info = await putAttachment(
    plane,
    {
      url,
      name: takeQuery(c, putting).name ?? nameOf(headers.get("content-disposition")) ?? "file",
      mediaType,
      by: c.get("principal"),
      ...(digest === undefined ? {} : { digest }),
      ...(length === null ? {} : { size: Number(length) }),
    },
    body,
  )
  return c.json(info, 201, { location: `/v1/entities${url}/attachments/${info.id}` })
}

async function get(plane: Plane, c: Context<Env>): Promise<Response> {
  const url = urlOf(c)
  const id = c.req.param("attachment") ?? ""
  const record = await readRecord(plane, url, id)
  if (record === undefined) throw new RouseError("NOT_FOUND", `${url} has no attachment "${id.slice(0, 80)}"`)
  const headers = attachmentHeaders(infoOf(record))
  const etag = etagOf(record)
  const known = c.req.header("if-none-match")
  if (known === "*" || known?.split(/,\s*/).some((tag) => tag.replace(/^W\//, "") === etag))
    return c.body(null, 304, headers)
  const asked = c.req.header("if-range") ?? etag
  const range = asked === etag ? parseRange(c.req.header("range") ?? null, record.size) : undefined
  const { start, end } = range ?? { start: 0, end: record.size }
  const lengths = {
    ...headers,
    "content-length": String(end - start),
    ...(range === undefined ? {} : { "content-range": `bytes ${start}-${end - 1}/${record.size}` }),
  }
  const body = c.req.method === "HEAD" ? null : readBytes(plane, url, record, { start, end })
  return new Response(body, { status: range === undefined ? 200 : 206, headers: lengths })
}
