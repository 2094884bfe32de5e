import { type Json, RouseError, type ScheduleBody, type ScheduleInfo, type ScheduleRule } from "@rouse/protocol"
import { deadLetterBody, deadLetterQuery, scheduleBody } from "@rouse/protocol/schemas"
import { type Context, Hono } from "hono"
import { deadLetters, discard, retry } from "../dead-letters.ts"
import type { Plane } from "../plane.ts"
import { findReceipt, putReceipt, receiptKey } from "../receipts.ts"
import { removeSchedule, schedulesOf, setSchedule } from "../schedules.ts"
import { postApproval } from "./approval-routes.ts"
import { parseBody, parseValue, readText } from "./body.ts"
import { type Env, needRecord, urlOf } from "./entity-routes.ts"

/** `…/schedules`, `…/retry` and `…/discard` of an entity. */
export function operatorRoutes(plane: Plane): Hono<Env> {
  const app = new Hono<Env>()
  app.get("/:type/:id/schedules", async (c) => {
    await needRecord(plane, urlOf(c))
    return c.json({ schedules: await schedulesOf(plane, urlOf(c)) })
  })
  app.post("/:type/:id/approvals/:call", (c) => postApproval(plane, c))
  app.post("/:type/:id/schedules", (c) => postSchedule(plane, c))
  app.delete("/:type/:id/schedules/:name", (c) => deleteSchedule(plane, c))
  app.post("/:type/:id/retry", (c) => settleDead(plane, c, retry))
  app.post("/:type/:id/discard", (c) =>
    settleDead(plane, c, (p, url, keys, onPlan) => discard(p, url, keys, c.get("principal"), onPlan)),
  )
  return app
}

/** `GET /v1/dead-letters` */
export async function getDeadLetters(plane: Plane, c: Context<Env>): Promise<Response> {
  return c.json(await deadLetters(plane, parseValue(c.req.query(), deadLetterQuery, "query")))
}

async function postSchedule(plane: Plane, c: Context<Env>): Promise<Response> {
  const url = urlOf(c)
  const text = await readText(c.req.raw, plane.limits.bodyBytesMax)
  const body = parseBody(text, scheduleBody)
  const receipt = await receiptKey(c.req.raw, c.get("principal"), text)
  const known = (await findReceipt(plane, receipt)) as unknown as ScheduleInfo | undefined
  const { name, message: content, catchUp } = body
  const request = { name, rule: ruleOf(body), content, ...(catchUp ? { catchUp } : {}) }
  const made =
    known ??
    (await setSchedule(plane, url, request, (draft, info) =>
      putReceipt(plane, draft, receipt, info as unknown as Json),
    ))
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
  if ((await findReceipt(plane, receipt)) === undefined) {
    await removeSchedule(plane, urlOf(c), c.req.param("name") ?? "", (draft) => putReceipt(plane, draft, receipt, true))
  }
  return c.body(null, 204)
}

type Settle = (
  plane: Plane,
  url: string,
  keys: readonly string[] | undefined,
  onPlan: Parameters<typeof retry>[3],
) => Promise<number>

async function settleDead(plane: Plane, c: Context<Env>, settle: Settle): Promise<Response> {
  const url = urlOf(c)
  const text = await readText(c.req.raw, plane.limits.bodyBytesMax)
  const { messages } = parseBody(text, deadLetterBody)
  const receipt = await receiptKey(c.req.raw, c.get("principal"), text)
  const known = await findReceipt(plane, receipt)
  if (known !== undefined && typeof known !== "number") throw new RouseError("INTERNAL", "a receipt is of another kind")
  const count = known ?? (await settle(plane, url, messages, (draft, n) => putReceipt(plane, draft, receipt, n)))
  return c.json({ url, messages: count }, 202)
}
