import type { Client } from "@rouse/client"
import type { Offset } from "@rouse/protocol"
import type { McpServer } from "@modelcontextprotocol/server"
import { z } from "zod"
import { answering } from "./answer.ts"
import { AGENT } from "./schemas.ts"

const READS = { readOnlyHint: true } as const
const AGENTS_MAX = 200
const EVENTS_MAX = 500

/** Tools that look at agents and change nothing. */
export function observing(server: McpServer, client: Client): void {
  listing(server, client)
  server.registerTool(
    "read_log",
    {
      description: "Read what happened to an agent, oldest first. `next` goes on where this answer ends.",
      inputSchema: z.object({
        agent: AGENT,
        after: z.string().optional().describe("The offset to read after: `next` of the last answer"),
        limit: z.number().int().positive().max(EVENTS_MAX).default(100),
      }),
      annotations: READS,
    },
    ({ agent, after, limit }, ctx) => answering(() => readLog(client, agent, after, limit, ctx.mcpReq.signal)),
  )
  server.registerTool(
    "read_state",
    {
      description:
        "Read an agent's live rows: of one collection (message, run, tool_call, or one of its own), or of all.",
      inputSchema: z.object({ agent: AGENT, collection: z.string().min(1).optional() }),
      annotations: READS,
    },
    ({ agent, collection }, ctx) => answering(() => client.state(agent, collection, { signal: ctx.mcpReq.signal })),
  )
}

function listing(server: McpServer, client: Client): void {
  server.registerTool(
    "list_types",
    { description: "List the types of agents that can be made.", inputSchema: z.object({}), annotations: READS },
    (_, ctx) => answering(async () => ({ types: await client.types({ signal: ctx.mcpReq.signal }) })),
  )
  server.registerTool(
    "list_agents",
    {
      description: "List agents, newest activity first.",
      inputSchema: z.object({
        type: z.string().optional(),
        status: z.enum(["idle", "queued", "running", "suspended", "paused", "dead", "stopped"]).optional(),
        tag: z.string().optional().describe("Only with this tag: name, or name=value"),
        after: z.string().optional().describe("`next` of the last answer"),
        limit: z.number().int().positive().max(AGENTS_MAX).default(50),
      }),
      annotations: READS,
    },
    ({ limit, ...query }, ctx) =>
      answering(() => {
        const given = Object.entries(query).filter(([, value]) => value !== undefined)
        return client.list({ ...Object.fromEntries(given), limit }, { signal: ctx.mcpReq.signal })
      }),
  )
}

/** Whole batches, until there are enough events: an offset stands after a batch, never within one. */
async function readLog(
  client: Client,
  agent: string,
  after: string | undefined,
  limit: number,
  signal: AbortSignal,
): Promise<object> {
  const events: object[] = []
  let next = (after ?? "-1") as Offset
  for await (const batch of client.observe(agent, { from: next, live: false, signal })) {
    if (events.length > 0 && events.length + batch.events.length > limit) break
    events.push(...batch.events)
    next = batch.offset
    if (events.length >= limit) break
  }
  return { events, next }
}
