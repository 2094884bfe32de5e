/** A Worker that looks models up by name: with the packages of all providers, and a schema library. */
import { createHandler, type FetchHandler } from "@rouse/agents"
import { echo } from "./entities.ts"

let handler: FetchHandler | undefined

export default {
  fetch(request: Request, env: { readonly ROUSE_URL: string }): Promise<Response> {
    handler ??= createHandler({ entities: [echo], server: env.ROUSE_URL, version: "v1", env: {} })
    return handler(request)
  },
}
