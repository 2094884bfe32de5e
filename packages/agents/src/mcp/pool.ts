import { RouseError } from "@rouse/protocol"
import { sleep } from "../abort.ts"
import { McpConnection } from "./connection.ts"
import type { McpEndpoint } from "./options.ts"

/** Servers that one process is connected to at once. */
const CONNECTIONS_MAX = 64

const RUNTIME = { now: () => Date.now(), random: () => Math.random(), sleep }

/** A process's connections by configuration: a wake finds the one that the last wake opened. */
const connections = new Map<string, McpConnection>()

/** @throws {RouseError} `OVERLOADED` when all connections are in use. */
export function connectionOf(endpoint: McpEndpoint): McpConnection {
  const known = connections.get(endpoint.key)
  if (known) return known
  if (connections.size >= CONNECTIONS_MAX) makeRoom()
  const connection = new McpConnection(endpoint, RUNTIME)
  connections.set(endpoint.key, connection)
  return connection
}

function makeRoom(): void {
  const [oldest] = [...connections.values()].filter(({ busy }) => !busy).sort((a, b) => a.usedAtMs - b.usedAtMs)
  if (oldest === undefined) throw new RouseError("OVERLOADED", `more than ${CONNECTIONS_MAX} MCP servers are in use`)
  connections.delete(oldest.endpoint.key)
  oldest.close().catch(() => undefined)
}

/** Closes every connection of this process, and ends the servers that were started for them. They open again when they are needed. */
export async function closeMcp(): Promise<void> {
  const open = [...connections.values()]
  connections.clear()
  await Promise.all(open.map((connection) => connection.close()))
}
