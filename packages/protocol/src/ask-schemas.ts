import { z } from "zod"
import { ASK_MS_MAX, type AskRequest } from "./ask.ts"
import { parseEntityUrl } from "./entity.ts"
import { json } from "./json-schema.ts"

/** A question as a handler, which may be elsewhere, asks it. */
export const askRequest: z.ZodType<AskRequest> = z.looseObject({
  id: z.string().min(1).max(256),
  kind: z.enum(["memo", "call"]),
  to: z.string().refine((value) => parseEntityUrl(value) !== undefined, "must look like /type/id"),
  content: json,
  mode: z.enum(["steer", "queue", "interrupt"]),
  timeoutMs: z.number().int().min(1).max(ASK_MS_MAX),
})
