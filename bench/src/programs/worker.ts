/** The same handler as a Worker on the edge. Its types need no schema library, which is the author's to bring. */
import { defineEntity } from "@rouse/agents"
import { createHandler, type FetchHandler } from "@rouse/agents/edge"

const echo = defineEntity("echo", {
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "You are a bench.", model: "rouse/echo" })
    await ctx.agent.run()
  },
})

let handler: FetchHandler | undefined

export default {
  fetch(request: Request, env: { readonly ROUSE_URL: string }): Promise<Response> {
    handler ??= createHandler({ entities: [echo], server: env.ROUSE_URL, version: "v1", env: {} })
    return handler(request)
  },
}
