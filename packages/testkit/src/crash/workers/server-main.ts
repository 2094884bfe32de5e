import { defineEntity, workerTool } from "@rouse/agents"
import { silentLog } from "@rouse/agents/runtime"
import type { Effect } from "@rouse/protocol"
import { createServer } from "@rouse/server"
import { openStore } from "@rouse/store"
import { z } from "zod"

/** A server whose agents' tools are all with workers: a data directory and a port. Ends by itself when its input does; else it is killed. */
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

const store = await openStore({ directory, clock: Date.now })
const server = createServer({
  store,
  entities: [builder],
  clock: Date.now,
  random: Math.random,
  defer: (ms, fn) => {
    const timer = setTimeout(fn, ms)
    return () => clearTimeout(timer)
  },
  log: {
    ...silentLog,
    error: (message, fields) => process.stderr.write(`${message} ${JSON.stringify(fields ?? {})}\n`),
  },
  host: { clock: Date.now, random: Math.random, log: silentLog },
})
process.stdin.on("end", () => process.exit(0)).resume()
const resumed = await server.start()
const { url } = await server.listen({ host: "127.0.0.1", port: Number(port) })
process.stdout.write(`${JSON.stringify({ url, resumed })}\n`)
