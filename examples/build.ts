import { defineEntity, humanTool, workerTool } from "@rouse/agents"
import { z } from "zod"

/**
 * A build step on a tool worker: it may take minutes, and the agent sleeps meanwhile. `examples/build-worker.ts` is the worker. A worker
 * that is killed in the middle costs an attempt: the next one has the same idempotency key.
 */
const build = workerTool({
  name: "build",
  description: "Build a commit. Takes minutes.",
  input: z.object({ commit: z.string().describe("A branch, tag or hash") }),
  output: z.object({ artifact: z.string(), seconds: z.number() }),
  queue: "builds",
  effect: "idempotent",
  heartbeat: 2_000,
  timeout: 30 * 60_000,
  concurrency: 20,
})

/** Who ships it is for a person to say. */
const release = humanTool({
  name: "ask_release",
  description: "Ask the release manager when and where to release",
  answer: z.object({ channel: z.enum(["canary", "stable"]), notes: z.string().optional() }),
  deadline: 24 * 3_600_000,
})

export const builder = defineEntity("builder", {
  description: "Builds commits on tool workers",
  async handler(ctx) {
    ctx.useAgent({
      systemPrompt: "You build commits. Build what you are asked for, and then ask where to release it.",
      model: "claude-sonnet-4-5",
      tools: [...ctx.tools, build, release],
    })
    await ctx.agent.run()
  },
})
