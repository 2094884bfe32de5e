import { readFile } from "node:fs/promises"
import { defineEntity, secret } from "@rouse/agents"
import { openapiTools } from "@rouse/agents/openapi"

/**
 * The payment service's own description becomes tools. A charge that is cut off, because the service or this process died, is not guessed at:
 * `findPayments` is asked what became of it.
 */
const payments = await openapiTools({
  document: await readFile(new URL("payments.openapi.yaml", import.meta.url), "utf8"),
  server: process.env["PAYMENTS_URL"] ?? "http://127.0.0.1:4777",
  // It is on our own network.
  private: true,
  auth: { key: secret("PAYMENTS_KEY") },
  reconcile: {
    pay: {
      operation: "findPayments",
      input: (_, { idempotencyKey }) => ({ key: idempotencyKey }),
      found: ({ body }) => (Array.isArray(body) ? body[0] : undefined),
    },
  },
  approval: { pay: ({ body }) => (body as { readonly cents: number }).cents > 100_000 },
})

export const orders = defineEntity("orders", {
  description: "Takes orders and has them paid",
  async handler(ctx) {
    for (const warning of payments.warnings) ctx.log.warn(warning)
    ctx.useAgent({
      systemPrompt: "You take orders and have them paid.",
      model: "claude-sonnet-4-5",
      tools: [...ctx.tools, ...payments.tools],
    })
    await ctx.agent.run()
  },
})
