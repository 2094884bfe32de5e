import { z } from "zod"
import type { Json, JsonObject } from "./json.ts"

/**
 * Any JSON value. What is checked with it was made by `JSON.parse`, which makes nothing else, so that its inside needs no look: only that it
 * is there.
 */
export const json: z.ZodType<Json> = z
  .unknown()
  .refine((value) => value !== undefined, "is missing")
  .meta({ description: "Any JSON value." }) as unknown as z.ZodType<Json>

export const jsonObject: z.ZodType<JsonObject> = z.record(z.string(), json)
