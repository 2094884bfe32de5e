import type { Command } from "commander"
import type { Io } from "./io.ts"

/** `rouse pg-source`: tables of an application's own database that rouse agents. */
export function pgSourceCommands(program: Command, io: Io): void {
  const group = program
    .command("pg-source")
    .summary("Tables of your own Postgres that rouse agents")
    .description("Installs what tells Rouse of changed rows on a table of your own database, or takes it away.")
  common(group.command("install"))
    .description(
      "Installs a trigger on a table, in one transaction, and prints the SQL. Again, it changes what is told. Servers that were started with --pg-source then write the table's changes to the stream pg/<source>/<table>.",
    )
    .option("--columns <names>", "what may leave the database, with commas between; the key always does; default: all")
    .option("--grant-to <role>", "the role that servers connect as: may take changes and nothing else")
    .option("--no-notify", "do not say at once that something changed: servers look every 5 seconds")
    .action(async (table: string, flags) => (await import("./commands/pg-source.ts")).install(table, flags, io))
  common(group.command("remove"))
    .description("Takes the trigger away, with the changes that wait, and prints the SQL.")
    .action(async (table: string, flags) => (await import("./commands/pg-source.ts")).remove(table, flags, io))
}

function common(command: Command): Command {
  return command
    .argument("<table>", "the table: orders, or sales.orders")
    .option("--url <url>", "the database, as who owns the table; default: ROUSE_PG_SOURCE_URL")
    .option("--print", "only print the SQL")
    .option("--json", "print the statements as a JSON list")
}
