import type { Problem } from "@rouse/protocol"
import { z } from "zod"
import { errorCode } from "./parts.ts"

/** RFC 9457. Programs test `code`. */
export const problem: z.ZodType<Problem> = z.object({
  type: z.string().meta({ description: "A URN that names the code." }),
  title: z.string(),
  status: z.int(),
  code: errorCode,
  detail: z.string().meta({ description: "What was wrong, for people: it names the field." }),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).exactOptional(),
})
