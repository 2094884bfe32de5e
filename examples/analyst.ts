import { tmpdir } from "node:os"
import { join } from "node:path"
import { defineEntity, tool } from "@rouse/agents"
import { codeTool } from "@rouse/agents/code"
import { sandboxTools } from "@rouse/agents/sandbox"
import { localSandbox } from "@rouse/agents/sandbox/local"
import { z } from "zod"

const sales = tool({
  name: "sales",
  description: "What was sold in a month of this year, in cents",
  input: z.object({ month: z.number().int().min(1).max(12) }),
  effect: "pure",
  execute: ({ month }) => month * 1_000,
})

/** A trusted agent: its commands run as this user. `dockerSandbox({ image: "node:24" })` in its place for one that is not. */
const sandbox = localSandbox({ directory: process.env["WORKSPACES"] ?? join(tmpdir(), "rouse-workspaces") })

export const analyst = defineEntity("analyst", {
  description: "Works with numbers in scripts, and with files in a workspace of its own",
  async handler(ctx) {
    ctx.useAgent({
      systemPrompt: "You are an analyst. Compute in scripts, and keep reports in files.",
      model: "claude-sonnet-4-5",
      tools: [
        ...ctx.tools,
        codeTool({ tools: [sales] }),
        ...sandboxTools(sandbox, { approval: (command) => /\brm\b/.test(command) }),
      ],
    })
    await ctx.agent.run()
  },
})
