import type { Command } from "commander"
import { parsePort } from "./core/arguments.ts"
import type { Io } from "./io.ts"
import { remote } from "./remote.ts"

/** The command that offers agents to MCP clients. */
export function mcpCommand(program: Command, io: Io): void {
  remote(program.command("mcp"))
    .summary("Offer the agents to any MCP client")
    .description(
      "Serves the agents of a server to MCP clients: tools to ask, send, spawn, list and read, and the logs as resources. Over standard input " +
        "and output, as a client starts it; with --port over HTTP, at /mcp on this machine.",
    )
    .option("-p, --port <number>", "serve HTTP on this port; 0 takes any free one", parsePort)
    .action(async (options) => (await import("./commands/mcp.ts")).mcp(options, io))
}
