import { defineEntity, workerTool } from "@rouse/agents"
import type { Effect } from "@rouse/protocol"
import { z } from "zod"
import { serveChild } from "../serve-child.ts"

/** A server whose agents' tools are all with workers: a data directory and a port. */
const [directory, port] = process.argv.slice(2) as [string, string]
const EFFECTS: readonly Effect[] = ["pure", "idempotent", "reconcilable", "once"]
const HEARTBEAT_MS = 1_500

const builder = defineEntity("builder", {
  async handler(ctx) {
    const tools = EFFECTS.map((effect) =>
      workerTool({
        name: effect,
        description: `Has an effect of class ${effect}`,
        input: z.object({ ref: z.string() }),
        output: z.object({ ref: z.string() }),
        effect,
        heartbeat: HEARTBEAT_MS,
      }),
    )
    ctx.useAgent({ systemPrompt: "Build.", model: "rouse/echo", tools })
    await ctx.agent.run()
  },
})

await serveChild({ directory, port: Number(port), graceMs: 1_000, entities: [builder] })
