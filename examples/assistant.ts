import { defineEntity } from "@rouse/agents"

defineEntity("assistant", {
  async handler(ctx) {
    ctx.useAgent({
      systemPrompt: "You are a helpful assistant.",
      model: "claude-sonnet-4-5",
      tools: [...ctx.tools],
    })
    await ctx.agent.run()
  },
})
