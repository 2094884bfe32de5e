import type { SharedHeld, SharedInfo, SharedList, SharedPage, SharedRow, SharedWritten } from "@rouse/protocol"
import { json, jsonObject } from "@rouse/protocol/schemas"
import { z } from "zod"
import { offset, time } from "./parts.ts"

const claim = z.object({
  holder: z.string(),
  token: z.int().meta({ description: "The fencing token: what the holder writes carries it." }),
  expiresAt: time,
})
const row = { key: z.string(), value: json, version: z.int(), done: z.literal(true).exactOptional() }

export const sharedRow: z.ZodType<SharedRow> = z.object({ ...row, claim: claim.exactOptional() })
const held: z.ZodType<SharedHeld> = z.object({ ...row, claim })
export const sharedHeldRows: z.ZodType<{ readonly rows: readonly SharedHeld[] }> = z.object({ rows: z.array(held) })
export const sharedPage: z.ZodType<SharedPage> = z.object({
  rows: z.array(sharedRow),
  next: z.string().exactOptional(),
})

const collection = z.object({
  schema: jsonObject,
  key: z.string(),
  indexes: z.array(z.array(z.string())).exactOptional(),
})
export const sharedInfo: z.ZodType<SharedInfo> = z.object({
  id: z.string(),
  definition: z.object({ collections: z.record(z.string(), collection) }),
  createdAt: time,
  rows: z.int(),
  stream: z.string(),
})
export const sharedList: z.ZodType<SharedList> = z.object({
  spaces: z.array(sharedInfo),
  next: z.string().exactOptional(),
})
export const sharedWritten: z.ZodType<SharedWritten> = z.object({
  results: z.array(z.object({ key: z.string(), version: z.int().exactOptional() })),
  offset,
})
/** To `open` null, to `get` a row or null, to `list` a page, to `claim` the rows. */
export const sharedAnswer: z.ZodType<null | SharedRow | SharedPage | readonly SharedHeld[]> = z.union([
  z.null(),
  sharedRow,
  sharedPage,
  z.array(held),
])
