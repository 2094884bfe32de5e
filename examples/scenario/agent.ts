import { defineEntity, secret, tool, workerTool } from "@rouse/agents"
import type { EntityDefinition } from "@rouse/agents"
import { codeTool } from "@rouse/agents/code"
import { mcpHttp, mcpTools } from "@rouse/agents/mcp"
import { openapiTools } from "@rouse/agents/openapi"
import { z } from "zod"

export interface Places {
  /** The payment service's own description. */
  readonly payments: string
  readonly paymentsUrl: string
  readonly stockUrl: string
  /** The engine of scripts, compiled: what runs on Workers compiles no bytes. */
  readonly wasm: WebAssembly.Module
}

/** What is made takes a while, on machines behind a firewall: `workshop.ts` takes these calls. */
const build = workerTool({
  name: "build",
  description: "Have an article built in the workshop. Takes minutes.",
  input: z.object({ article: z.string() }),
  output: z.object({ serial: z.string(), note: z.string() }),
  queue: "workshop",
  effect: "idempotent",
  heartbeat: 2_000,
})

const price = tool({
  name: "price",
  description: "The price of an article, in cents",
  input: z.object({ article: z.string() }),
  effect: "pure",
  execute: ({ article }) => article.length * 100,
})

/**
 * Takes orders: each of its tools runs in another backend, and none of them where the agent does. Secrets are names here; they are resolved
 * by whoever runs the handler, when a tool runs.
 */
export async function orderAgent({ payments, paymentsUrl, stockUrl, wasm }: Places): Promise<EntityDefinition> {
  const asked = (operation: string) => ({
    operation,
    input: (_: unknown, { idempotencyKey }: { readonly idempotencyKey: string }) => ({ key: idempotencyKey }),
    found: ({ body }: { readonly body: unknown }) => (Array.isArray(body) ? body[0] : undefined),
  })
  const { tools } = await openapiTools({
    document: payments,
    server: paymentsUrl,
    operations: ["pay", "refund"],
    private: true,
    auth: { key: secret("PAYMENTS_KEY") },
    reconcile: { pay: asked("findPayments"), refund: asked("findRefunds") },
  })
  const stock = { name: "stock", server: mcpHttp({ url: stockUrl, token: secret("STOCK_TOKEN") }) }
  return defineEntity("orders", {
    description: "Takes orders, has them paid and built, and gives money back",
    async handler(ctx) {
      ctx.useAgent({
        systemPrompt: "You take orders.",
        model: "rouse/echo",
        tools: [...ctx.tools, ...tools, ...(await mcpTools(stock, ctx)), build, codeTool({ wasm, tools: [price] })],
      })
      await ctx.agent.run()
    },
  })
}
