import type { EntityUrl, JsonObject } from "@rouse/protocol"
import { z } from "zod"

/** An agent's address. */
export const AGENT: z.ZodType<EntityUrl, string> = z
  .string()
  .regex(/^\/[^/]+\/[^/]+$/, "must be an address such as /support/one")
  .describe("The agent's address, such as /support/one")

/** A JSON object. */
export const OBJECT: z.ZodType<JsonObject, JsonObject> = z.record(z.string(), z.json()) as z.ZodType<
  JsonObject,
  JsonObject
>
