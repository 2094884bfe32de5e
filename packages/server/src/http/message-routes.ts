import {
  entityStreamPath,
  type EntityUrl,
  type MessageMode,
  type Offset,
  type Receipt,
  RouseError,
  type SendBody,
  START,
} from "@rouse/protocol"
import { type Context, Hono } from "hono"
import { resolveAttachments } from "../attachments/attachments.ts"
import { isoTime } from "../core/control.ts"
import { parseWait } from "../core/duration.ts"
import { send, type SendInput, type Sent } from "../inbox.ts"
import type { Plane } from "../plane.ts"
import { once, type ReceiptKey, receiptKey } from "../receipts.ts"
import { isTerminal, waitForSettled } from "../settlement.ts"
import { type Env, tailOf, urlOf } from "./entity-routes.ts"
import { checkMessage } from "../message-check.ts"
import { mount, takeBody, takeQuery } from "./mount.ts"
import { sendMessage } from "./operations/entities.ts"
import { replyEvents } from "./reply-stream.ts"
import { streamResponse, wantsEvents } from "./sse.ts"

/** `/v1/entities/{type}/{id}/messages` */
export function messageRoutes(plane: Plane, stop: AbortSignal): Hono<Env> {
  const app = new Hono<Env>()
  mount(app, sendMessage, (c) => post(plane, c, stop))
  return app
}

async function post(plane: Plane, c: Context<Env>, stop: AbortSignal): Promise<Response> {
  const url = urlOf(c)
  const { text, body } = await takeBody(plane, c, sendMessage)
  const input = await inputOf(plane, c, url, body)
  const { wait } = takeQuery(c, sendMessage)
  const waitMs = wait === undefined ? undefined : parseWait(wait)
  if (waitMs !== undefined && input.dueAtMs !== undefined) {
    throw new RouseError("BAD_REQUEST", "wait: a message that is to be delivered later cannot be waited for")
  }
  const receipt = await receiptKey(c.req.raw, c.get("principal"), text)
  const isStreamed = wantsEvents(c.req.raw)
  // Where a streamed reply begins: before the message, so that nothing of it is missed, also when the request is repeated.
  const before = isStreamed || receipt ? await tailOf(plane, url) : undefined
  const sent = await sendOnce(plane, input, receipt, before)
  if (isStreamed) return streamed(plane, url, sent, sent.before ?? START, stop)
  if (waitMs === undefined || sent.dueAtMs !== undefined) return c.json(await receiptOf(plane, url, sent), 202)
  const settled = await waitForSettled(plane, url, sent.message, waitMs, AbortSignal.any([stop, c.req.raw.signal]))
  return c.json(settled, isTerminal(settled.status) ? 200 : 202)
}

async function inputOf(plane: Plane, c: Context<Env>, to: EntityUrl, body: SendBody): Promise<SendInput> {
  await checkMessage(plane, to, body.content)
  const mode: MessageMode = body.mode ?? "steer"
  const now = plane.clock()
  const dueAtMs =
    body.afterMs !== undefined ? now + body.afterMs : body.at !== undefined ? Date.parse(body.at) : undefined
  if (dueAtMs !== undefined && body.at !== undefined && dueAtMs < now)
    throw new RouseError("INVALID_ARGS", `at: ${body.at} is in the past`)
  const files = body.attachments ?? []
  const attachments = files.length === 0 ? {} : { attachments: await resolveAttachments(plane, to, files) }
  const from = c.get("principal")
  return { to, from, content: body.content, mode, ...attachments, ...(dueAtMs === undefined ? {} : { dueAtMs }) }
}

/** A message as it was sent, and the end of the log before it. */
type Posted = Sent & { readonly before?: Offset }

function sendOnce(
  plane: Plane,
  input: SendInput,
  receipt: ReceiptKey | undefined,
  before: Offset | undefined,
): Promise<Posted> {
  const posted = (sent: Sent): Posted => ({ ...sent, ...(before === undefined ? {} : { before }) })
  return once<Posted>(plane, receipt, async (note) =>
    posted(await send(plane, input, (draft, sent) => note(draft, posted(sent)))),
  )
}

function streamed(plane: Plane, url: EntityUrl, sent: Sent, from: Offset, stop: AbortSignal): Response {
  const gone = new AbortController()
  const receipt: Receipt = { url, message: sent.message, offset: from, ...dueOf(sent) }
  return streamResponse(replyEvents(plane, receipt, from, AbortSignal.any([stop, gone.signal])), () => gone.abort())
}

async function receiptOf(plane: Plane, url: EntityUrl, sent: Sent): Promise<Receipt> {
  const info = await plane.store.stream(entityStreamPath(url))
  if (!info) throw new RouseError("UNKNOWN_ENTITY", `${url} was deleted`)
  return { url, message: sent.message, offset: info.next, ...dueOf(sent) }
}

function dueOf(sent: Sent): { readonly dueAt?: string } {
  return sent.dueAtMs === undefined ? {} : { dueAt: isoTime(sent.dueAtMs) }
}
