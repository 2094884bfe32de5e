import { createHandler, type FetchHandler } from "@rouse/agents/edge"
import { parcels } from "./agents.ts"

interface Env {
  readonly ROUSE_URL: string
}

interface ExecutionContext {
  waitUntil(work: Promise<unknown>): void
}

/**
 * A Worker on the edge, without the packages of model providers: give `useAgent` a model of the one that you use. Its variables come with each
 * request, so the handler is made by the first.
 */
let handler: FetchHandler | undefined

export default {
  fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    handler ??= createHandler({ entities: [parcels], version: "v1", server: env.ROUSE_URL, env: { ...env } })
    return handler(request, { waitUntil: (work) => ctx.waitUntil(work) })
  },
}
