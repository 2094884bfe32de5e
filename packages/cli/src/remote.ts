import type { Command } from "commander"

/** What every command has that talks to a server. */
export function remote(command: Command): Command {
  return command
    .option("--url <address>", "the server; default: ROUSE_URL")
    .option("--json", "print JSON, for programs")
}
