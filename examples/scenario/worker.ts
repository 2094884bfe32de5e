import wasm from "@jitl/quickjs-wasmfile-release-sync/wasm"
import { createHandler, type FetchHandler } from "@rouse/agents/edge"
import payments from "../payments.openapi.yaml"
import { orderAgent } from "./agent.ts"

interface Env {
  readonly ROUSE_URL: string
  readonly PAYMENTS_URL: string
  readonly STOCK_URL: string
  readonly PAYMENTS_KEY: string
  readonly STOCK_TOKEN: string
}

interface ExecutionContext {
  waitUntil(work: Promise<unknown>): void
}

/** The agent as a Worker. Its variables and secrets come with each request, so the handler is made by the first. */
let handler: Promise<FetchHandler> | undefined

async function make(env: Env): Promise<FetchHandler> {
  const agent = await orderAgent({ payments, paymentsUrl: env.PAYMENTS_URL, stockUrl: env.STOCK_URL, wasm })
  return createHandler({ entities: [agent], version: "v1", server: env.ROUSE_URL, env: { ...env } })
}

export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    handler ??= make(env)
    const answer = await handler
    return await answer(request, { waitUntil: (work) => ctx.waitUntil(work) })
  },
}
