import type { Client } from "@rouse/client"
import { McpServer, ResourceTemplate } from "@modelcontextprotocol/server"
import { observing } from "./observing.ts"
import { talking } from "./talking.ts"

/** Agents that are shown as resources: the newest. Others are read by their address. */
const LISTED_MAX = 50
const INSTRUCTIONS =
  "These are long-lived agents, each at an address such as /support/one. list_types tells which kinds there are, spawn_agent makes one, " +
  "ask_agent sends a message and waits for the reply. An agent remembers what it was told before."

/** An MCP server whose tools and resources are the agents of one Rouse server, with the rights of its client. */
export function agentsServer(client: Client, version: string): McpServer {
  const server = new McpServer({ name: "rouse", version }, { instructions: INSTRUCTIONS })
  talking(server, client)
  observing(server, client)
  resources(server, client)
  return server
}

function resources(server: McpServer, client: Client): void {
  const list = async () => {
    const { entities } = await client.list({ limit: LISTED_MAX })
    const resources = entities.map(({ url, status }) => ({
      uri: `rouse://log${url}`,
      name: url,
      description: `The log of ${url}, which is ${status}`,
    }))
    return { resources }
  }
  server.registerResource(
    "log",
    new ResourceTemplate("rouse://log/{type}/{id}", { list }),
    {
      description: "Everything that happened to an agent, oldest first, one event a line",
      mimeType: "application/x-ndjson",
    },
    async (uri, { type, id }) => {
      const lines: string[] = []
      for await (const { events } of client.observe(`/${String(type)}/${String(id)}`, { live: false })) {
        lines.push(...events.map((event) => JSON.stringify(event)))
      }
      return {
        contents: [{ uri: uri.href, mimeType: "application/x-ndjson", text: lines.slice(-EVENTS_MAX).join("\n") }],
      }
    },
  )
}

/** Events of one resource: the newest of a longer log. `read_log` pages through all of them. */
const EVENTS_MAX = 5_000
