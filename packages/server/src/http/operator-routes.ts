import type { DeadLetterBody, ScheduleBody, ScheduleInfo, ScheduleRule } from "@rouse/protocol"
import { type Context, Hono } from "hono"
import { deadLetters, discard, retry } from "../dead-letters.ts"
import { checkMessage } from "../message-check.ts"
import type { Plane } from "../plane.ts"
import { once, receiptKey } from "../receipts.ts"
import { allSchedules } from "../schedule-list.ts"
import { removeSchedule, schedulesOf, setSchedule } from "../schedules.ts"
import { postApproval } from "./approval-routes.ts"
import { type Env, needRecord, urlOf } from "./entity-routes.ts"
import { mount, takeBody, takeQuery } from "./mount.ts"
import {
  decideApproval,
  deleteSchedule as deleting,
  discardMessages,
  listSchedules,
  retryMessages,
  setSchedule as setting,
} from "./operations/entities.ts"
import type { Taking } from "./operations/operation.ts"
import { listAllSchedules, listDeadLetters } from "./operations/operators.ts"

/** `…/schedules`, `…/retry` and `…/discard` of an entity. */
export function operatorRoutes(plane: Plane): Hono<Env> {
  const app = new Hono<Env>()
  mount(app, listSchedules, async (c) => {
    await needRecord(plane, urlOf(c))
    return c.json({ schedules: await schedulesOf(plane, urlOf(c)) })
  })
  mount(app, decideApproval, (c) => postApproval(plane, c))
  mount(app, setting, (c) => postSchedule(plane, c))
  mount(app, deleting, (c) => deleteSchedule(plane, c))
  mount(app, retryMessages, (c) => settleDead(plane, c, retryMessages, retry))
  mount(app, discardMessages, (c) =>
    settleDead(plane, c, discardMessages, (p, url, keys, onPlan) => discard(p, url, keys, c.get("principal"), onPlan)),
  )
  return app
}

/** `GET /v1/dead-letters` */
export async function getDeadLetters(plane: Plane, c: Context<Env>): Promise<Response> {
  return c.json(await deadLetters(plane, takeQuery(c, listDeadLetters)))
}

/** `GET /v1/schedules` */
export async function getSchedules(plane: Plane, c: Context<Env>): Promise<Response> {
  return c.json(await allSchedules(plane, takeQuery(c, listAllSchedules)))
}

async function postSchedule(plane: Plane, c: Context<Env>): Promise<Response> {
  const url = urlOf(c)
  const { text, body } = await takeBody(plane, c, setting)
  const receipt = await receiptKey(c.req.raw, c.get("principal"), text)
  const { name, message: content, catchUp } = body
  await checkMessage(plane, url, content)
  const request = { name, rule: ruleOf(body), content, ...(catchUp ? { catchUp } : {}) }
  const made = await once<ScheduleInfo>(plane, receipt, (note) => setSchedule(plane, url, request, note))
  return c.json(made)
}

function ruleOf({ cron, timezone, every, at }: ScheduleBody): ScheduleRule {
  const fields = { cron, timezone, every, at }
  // Which of them go together is for `checkRule` to say.
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as unknown as ScheduleRule
}

async function deleteSchedule(plane: Plane, c: Context<Env>): Promise<Response> {
  const receipt = await receiptKey(c.req.raw, c.get("principal"), "")
  await once<true>(plane, receipt, async (note) => {
    await removeSchedule(plane, urlOf(c), c.req.param("name") ?? "", (draft) => note(draft, true))
    return true
  })
  return c.body(null, 204)
}

type Settle = (
  plane: Plane,
  url: string,
  keys: readonly string[] | undefined,
  onPlan: Parameters<typeof retry>[3],
) => Promise<number>

async function settleDead(
  plane: Plane,
  c: Context<Env>,
  operation: Taking<DeadLetterBody>,
  settle: Settle,
): Promise<Response> {
  const url = urlOf(c)
  const { text, body } = await takeBody(plane, c, operation)
  const { messages } = body
  const receipt = await receiptKey(c.req.raw, c.get("principal"), text)
  const count = await once<number>(plane, receipt, (note) => settle(plane, url, messages, note))
  return c.json({ url, messages: count }, 202)
}
