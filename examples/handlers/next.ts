import { createHandler } from "@rouse/agents"
import { parcels } from "./agents.ts"

/** `app/agents/route.ts` of a Next.js app: a route handler is a function from `Request` to `Response`. */
const handler = createHandler({ entities: [parcels], version: "v1", deadlineMs: 55_000 })

export const maxDuration = 60

export function POST(request: Request): Promise<Response> {
  return handler(request)
}
