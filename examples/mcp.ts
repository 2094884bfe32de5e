import { defineEntity } from "@rouse/agents"
import { mcpPrompt, mcpTools } from "@rouse/agents/mcp"
import { mcpStdio } from "@rouse/agents/mcp/stdio"

/** The MCP project's own reference server: `npm install @modelcontextprotocol/server-everything`. */
const everything = {
  name: "all",
  server: mcpStdio({ command: "npx", args: ["mcp-server-everything", "stdio"] }),
  effects: { "toggle-simulated-logging": "idempotent" },
} as const

export const explorer = defineEntity("explorer", {
  description: "Uses the tools of an MCP server",
  async handler(ctx) {
    ctx.useAgent({
      systemPrompt: await mcpPrompt(everything, "simple-prompt"),
      model: "claude-sonnet-4-5",
      tools: [...ctx.tools, ...(await mcpTools(everything))],
    })
    await ctx.agent.run()
  },
})
