import type { Client } from "@rouse/client"
import type { McpServer } from "@modelcontextprotocol/server"
import { z } from "zod"
import { answering, keyOf, withProgress } from "./answer.ts"
import { AGENT, OBJECT } from "./schemas.ts"

const SECONDS_MAX = 3_600
const SECONDS = 600

/** Tools that make agents and talk to them. */
export function talking(server: McpServer, client: Client): void {
  server.registerTool(
    "ask_agent",
    {
      description:
        "Send a message to an agent and wait for its reply. When the time is over the message is still processed: read_log shows it.",
      inputSchema: z.object({
        agent: AGENT,
        message: z.string().min(1),
        timeoutSeconds: z.number().positive().max(SECONDS_MAX).default(SECONDS),
      }),
    },
    ({ agent, message, timeoutSeconds }, ctx) =>
      answering(async () => {
        const options = { timeout: timeoutSeconds * 1_000, signal: ctx.mcpReq.signal, ...keyOf(ctx) }
        return await withProgress(ctx, client.ask(agent, message, options))
      }),
  )
  server.registerTool(
    "send_message",
    {
      description:
        "Put a message in an agent's inbox and do not wait. It is on disk when this returns, and will be processed.",
      inputSchema: z.object({
        agent: AGENT,
        message: z.string().min(1),
        mode: z
          .enum(["steer", "queue", "interrupt"])
          .optional()
          .describe("Join the run under way, wait for the next, or abort it first"),
      }),
    },
    ({ agent, message, mode }, ctx) =>
      answering(() => client.send(agent, message, { signal: ctx.mcpReq.signal, mode, ...keyOf(ctx) })),
  )
  server.registerTool(
    "spawn_agent",
    {
      description: "Make an agent of a type. Without an id, one is made up. The same spawn twice is one agent.",
      inputSchema: z.object({
        type: z.string().min(1).describe("A type, as list_types tells"),
        id: z.string().min(1).optional(),
        args: OBJECT.optional().describe("The agent's arguments, if its type needs any"),
        message: z.string().min(1).optional().describe("Its first message"),
        tags: z.record(z.string(), z.string()).optional(),
      }),
      annotations: { idempotentHint: true },
    },
    ({ type, id, args, message, tags }, ctx) =>
      answering(() => client.spawn(type, id, { args, message, tags }, { signal: ctx.mcpReq.signal, ...keyOf(ctx) })),
  )
}
