import { type AttachmentInfo, mediaTypeOf, OCTETS, RouseError } from "@rouse/protocol"
import { type Context, Hono } from "hono"
import { wakeAttachments } from "../attachments/wake-attachments.ts"
import { attachmentHeaders } from "../core/attachment-headers.ts"
import { parseRange } from "../core/byte-range.ts"
import type { HeldLease } from "../handler-commit.ts"
import type { Plane } from "../plane.ts"
import { mount, takeQuery } from "./mount.ts"
import {
  getClaimAttachment,
  getClaimAttachmentInfo,
  listClaimAttachments,
  putClaimAttachment,
} from "./operations/handlers.ts"

/** `/v1/claims/attachments`: what a handler elsewhere does with its entity's attachments, by its claim. */
export function claimAttachments(plane: Plane, leaseOf: (request: Request) => Promise<HeldLease>): Hono {
  const app = new Hono()
  const backend = async ({ req }: Context): Promise<ReturnType<typeof wakeAttachments>> => {
    const { url, wake } = await leaseOf(req.raw)
    return wakeAttachments(plane, url, wake.epoch)
  }
  mount(app, listClaimAttachments, async (c) => c.json({ attachments: await (await backend(c)).list() }))
  mount(app, putClaimAttachment, async (c) => {
    const attachments = await backend(c)
    const mediaType = mediaTypeOf(c.req.header("content-type") ?? OCTETS)
    if (mediaType === undefined) throw new RouseError("INVALID_ARGS", "mediaType: must look like image/png")
    const { name = "", run, call } = takeQuery(c, putClaimAttachment)
    const from = { ...(run === undefined ? {} : { run }), ...(call === undefined ? {} : { call }) }
    return c.json(await attachments.put(c.req.raw.body ?? new Blob([]).stream(), { name, mediaType, ...from }), 201)
  })
  mount(app, getClaimAttachmentInfo, async (c) => c.json(await known(await backend(c), idOf(c))))
  mount(app, getClaimAttachment, async (c) => {
    const attachments = await backend(c)
    const info = await known(attachments, idOf(c))
    const range = parseRange(c.req.header("range") ?? null, info.size)
    const body = (await attachments.read(info.id, range)) ?? null
    const part = range && { "content-range": `bytes ${range.start}-${range.end - 1}/${info.size}` }
    return new Response(body, { status: part ? 206 : 200, headers: { ...attachmentHeaders(info), ...part } })
  })
  return app
}

function idOf(c: Context): string {
  return c.req.param("attachment") ?? ""
}

async function known(attachments: ReturnType<typeof wakeAttachments>, id: string): Promise<AttachmentInfo> {
  const info = await attachments.info(id)
  if (info === undefined) throw new RouseError("NOT_FOUND", "there is no attachment of this id")
  return info
}
