import { createHandler, type FetchHandler } from "@rouse/agents"
import { parcels } from "./agents.ts"

interface Env {
  readonly ROUSE_URL: string
}

interface ExecutionContext {
  waitUntil(work: Promise<unknown>): void
}

/** A Worker on the edge. Its variables come with each request, so the handler is made by the first. */
let handler: FetchHandler | undefined

export default {
  fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    handler ??= createHandler({ entities: [parcels], version: "v1", server: env.ROUSE_URL, env: { ...env } })
    return handler(request, { waitUntil: (work) => ctx.waitUntil(work) })
  },
}
