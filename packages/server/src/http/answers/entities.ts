import type {
  ChangeEvent,
  EntityDetail,
  EntityPage,
  EntitySummary,
  Forked,
  Imported,
  LogPage,
  ObservationInfo,
  ObservationList,
  ObserveSource,
  Offset,
  Receipt,
  Row,
  ScheduleInfo,
  ScheduleList,
  SchedulePage,
  ScheduleRule,
  Settled,
  Spawned,
} from "@rouse/protocol"
import { json, jsonObject } from "@rouse/protocol/schemas"
import { z } from "zod"
import { budget, forkPoint, offset, spend, status, texts, time, url, usageSum } from "./parts.ts"

const summary = {
  url,
  type: z.string(),
  id: z.string(),
  status,
  args: jsonObject,
  tags: texts,
  parent: url.nullable(),
  createdAt: time,
  activeAt: time,
  pending: z.int().meta({ description: "Messages accepted and not yet settled." }),
  stream: z.string().meta({ description: "The stream that holds its log, as a path below the server's base." }),
  attempt: z.int().exactOptional(),
  reason: z.string().exactOptional(),
  usage: usageSum.exactOptional(),
  budget: z.object({ limits: budget, spent: spend }).exactOptional(),
  forkedFrom: forkPoint.exactOptional(),
}

export const entitySummary: z.ZodType<EntitySummary> = z.object(summary)

export const entityDetail: z.ZodType<EntityDetail> = z.object({
  ...summary,
  offset,
  collections: z.record(z.string(), z.int()).meta({ description: "How many rows each collection has." }),
})

export const entityPage: z.ZodType<EntityPage> = z.object({
  entities: z.array(entitySummary),
  next: z.string().exactOptional(),
})

const receiptFields = { url, message: z.string(), offset, dueAt: time.exactOptional() }
export const receipt: z.ZodType<Receipt> = z.object(receiptFields)

const messageStatus = z.enum(["accepted", "taken", "processed", "cancelled", "dead"])
export const settled: z.ZodType<Settled> = z.object({
  ...receiptFields,
  status: messageStatus,
  run: z.string().exactOptional(),
  reply: json,
  reason: z.string().exactOptional(),
})

/** What a message that was accepted is answered: what came of it until the wait ended, if it was waited for. */
export const accepted: z.ZodType<Receipt & Partial<Settled>> = z.object({
  ...receiptFields,
  status: messageStatus.exactOptional(),
  run: z.string().exactOptional(),
  reply: json.exactOptional(),
  reason: z.string().exactOptional(),
})

export const spawned: z.ZodType<Spawned & { readonly settled?: Settled }> = z.object({
  entity: entitySummary,
  offset,
  message: z.string().exactOptional(),
  settled: settled.exactOptional(),
})

export const forked: z.ZodType<Forked> = z.object({
  entity: entitySummary,
  offset,
  message: z.string().exactOptional(),
  from: forkPoint,
  forks: texts,
})

const event: z.ZodType<ChangeEvent> = z.object({
  type: z.string(),
  key: z.string(),
  value: json.exactOptional(),
  headers: z.object({
    operation: z.enum(["insert", "update", "delete"]),
    timestamp: time.exactOptional(),
    txid: z.string().exactOptional(),
  }),
})
export const logPage: z.ZodType<LogPage> = z.object({
  batches: z.array(z.object({ offset, events: z.array(event) })),
  before: offset.exactOptional(),
})

const row: z.ZodType<Row> = z.object({ collection: z.string(), key: z.string(), value: json })
export const state: z.ZodType<{ readonly offset: Offset; readonly rows: readonly Row[] }> = z.object({
  offset,
  rows: z.array(row),
})

export const imported: z.ZodType<Imported> = z.object({
  entities: texts,
  paused: z.array(url),
  rows: z.int(),
  space: z.string().exactOptional(),
})

const rule: z.ZodType<ScheduleRule> = z.union([
  z.object({ cron: z.string(), timezone: z.string().exactOptional() }),
  z.object({ every: z.number() }),
  z.object({ at: z.string() }),
])

const schedule = {
  name: z.string(),
  to: url,
  content: json,
  dueAt: time,
  rule: rule.exactOptional(),
  catchUp: z.enum(["skip", "once", "all"]).exactOptional(),
  firedAt: time.exactOptional(),
}
export const scheduleInfo: z.ZodType<ScheduleInfo> = z.object(schedule)
export const schedulePage: z.ZodType<SchedulePage> = z.object({
  schedules: z.array(z.object({ url, ...schedule })),
  next: z.string().exactOptional(),
})
export const scheduleList: z.ZodType<ScheduleList> = z.object({ schedules: z.array(scheduleInfo) })

const source: z.ZodType<ObserveSource> = z.union([
  z.string(),
  z.object({ type: z.string(), status: status.exactOptional(), tags: texts.exactOptional() }),
])
export const observationInfo: z.ZodType<ObservationInfo> = z.object({
  name: z.string(),
  source,
  stream: z.string(),
  on: z.array(z.string()).exactOptional(),
  where: jsonObject.exactOptional(),
  debounce: z.number().exactOptional(),
  timeout: z.number().exactOptional(),
  at: time,
  cursor: offset.exactOptional(),
  pending: z.boolean().exactOptional(),
})
export const observationList: z.ZodType<ObservationList> = z.object({ observations: z.array(observationInfo) })

/** What a decision is answered: `message` when it settled what waited. */
export const decided: z.ZodType<{ readonly url: string; readonly message?: string; readonly offset: Offset }> =
  z.object({ url, message: z.string().exactOptional(), offset })

export const resettled: z.ZodType<{ readonly url: string; readonly messages: number }> = z.object({
  url,
  messages: z.int().meta({ description: "How many." }),
})
