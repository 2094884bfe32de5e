import type { Command } from "commander"
import { parsePort, parseWhole } from "./core/arguments.ts"
import { DEFAULT_DATA, DEFAULT_HOST, DEFAULT_PORT } from "./core/defaults.ts"
import type { ExitCode } from "./core/failure.ts"
import { collectIdle } from "./core/retention.ts"
import type { Io } from "./io.ts"
import {
  corsOriginOption,
  logLevelOption,
  loopbackWebhooksOption,
  pgSourceOption,
  publicUrlOption,
  rateLimitOption,
  retentionOption,
} from "./serving-options.ts"

/** The commands that serve agents or streams from here, and those that begin a project. */
export function serving(program: Command, io: Io, exit: (code: ExitCode) => void): void {
  program
    .command("dev")
    .summary("Serve agents here, with a page and reload")
    .description(
      "Serves the agents of your files on this machine, with the web page, and loads them again when you change them.\n\n" +
        "Without files: ./agents.ts, ./agents/*.ts and ./src/agents/*.ts, as far as they exist.",
    )
    .argument("[files...]", "modules that define entities")
    .option("-p, --port <number>", "port to listen on; 0 takes any free one", parsePort, DEFAULT_PORT)
    .option("-d, --data <directory>", "where agents are kept", DEFAULT_DATA)
    .addOption(rateLimitOption())
    .addOption(retentionOption())
    .addOption(pgSourceOption())
    .addOption(loopbackWebhooksOption())
    .option("--json", "print one JSON object when ready")
    .action(async (files: string[], options) => exit(await (await import("./commands/dev.ts")).dev(files, options, io)))
  program
    .command("start")
    .summary("Serve agents in production")
    .description(
      "Serves agents in production: no reload, JSON logs on standard output, graceful shutdown on SIGTERM.\n\n" +
        "A host that others can reach is refused without tokens: --tokens, ROUSE_TOKENS_FILE, ROUSE_TOKENS or ROUSE_TOKEN.",
    )
    .argument("[files...]", "modules that define entities")
    .option("--host <address>", "address to listen on", DEFAULT_HOST)
    .option("-p, --port <number>", "port to listen on; 0 takes any free one", parsePort, DEFAULT_PORT)
    .option("-d, --data <directory>", "where agents are kept", DEFAULT_DATA)
    .option("--tokens <file>", "file with the tokens that requests must carry")
    .option("--policy <file>", "file with rules that ask for approvals, as JSON")
    .option("--webhooks <file>", "file with sources of webhooks, as JSON")
    .addOption(rateLimitOption())
    .addOption(corsOriginOption())
    .addOption(publicUrlOption())
    .addOption(retentionOption())
    .option(
      "--delete-idle <type=age>",
      "purge agents of a type that do nothing for so long; type=age,shared: with their rows in shared spaces; may be repeated",
      collectIdle,
    )
    .addOption(pgSourceOption())
    .addOption(loopbackWebhooksOption())
    .addOption(logLevelOption())
    .option("--json", "print one JSON object when ready, before the logs")
    .action(async (files: string[], options) =>
      exit(await (await import("./commands/start.ts")).start(files, options, io)),
    )
  program
    .command("streams")
    .summary("Serve durable streams alone")
    .description(
      "Serves the Durable Streams Protocol and nothing else, at /v1/stream/{path}.\n\n" +
        "A host that others can reach is refused without tokens: --tokens, ROUSE_TOKENS_FILE, ROUSE_TOKENS or ROUSE_TOKEN.",
    )
    .option("--host <address>", "address to listen on", DEFAULT_HOST)
    .option("-p, --port <number>", "port to listen on; 0 takes any free one", parsePort, DEFAULT_PORT)
    .option("-d, --data <directory>", "where streams are kept", DEFAULT_DATA)
    .option("--tokens <file>", "file with the tokens that requests must carry")
    .option("--long-poll-ms <number>", "how long a long-poll waits for data; default: 20000", (text) =>
      parseWhole("--long-poll-ms", text, 1, 600_000),
    )
    .addOption(rateLimitOption())
    .addOption(corsOriginOption())
    .addOption(publicUrlOption())
    .addOption(retentionOption())
    .addOption(loopbackWebhooksOption())
    .addOption(logLevelOption())
    .option("--json", "print one JSON object when ready, before the logs")
    .action(async (options) => exit(await (await import("./commands/streams.ts")).streams(options, io)))
  program
    .command("migrate")
    .summary("Move a store to Postgres, or back")
    .description(
      "Moves everything from one place to another, checks it, and marks where it was. No server may run on either.\n\n" +
        "A place is a directory, a postgres:// address, or the word database: what ROUSE_DATABASE_URL names.",
    )
    .requiredOption("--from <place>", "where agents are kept")
    .requiredOption("--to <place>", "where they are to be kept; must be empty")
    .option("--replace", "write over what was left at a place that this store was moved away from")
    .option(
      "--wait <seconds>",
      "how long to wait for servers to end; default: 0",
      (text) => parseWhole("--wait", text, 0, 86_400),
      0,
    )
    .option("--json", "print what was moved as JSON")
    .action(async (options) => (await import("./commands/migrate.ts")).migrate(options, io))
  program
    .command("init")
    .summary("Write a small working project")
    .description("Writes a small working project into a directory. Nothing that is there is overwritten.")
    .argument("[directory]", "where to", ".")
    .option("--json", "print what was written as JSON")
    .action(async (directory: string, options) => (await import("./commands/init.ts")).init(directory, options, io))
  program
    .command("demo")
    .summary("Watch a debate between agents, offline")
    .description("Serves the debate example on the offline model, sets a topic and shows what the agents do.")
    .option("--once", "end when the debate is over, with a summary")
    .option("--topic <text>", "what to debate", "Should a company let its agents spend money without asking?")
    .option(
      "-p, --port <number>",
      "port to listen on; default: any free one with --once, else " + DEFAULT_PORT,
      parsePort,
    )
    .option("-d, --data <directory>", "where agents are kept; default: a temporary directory")
    .option("--json", "print JSON lines")
    .action(async (options) => exit(await (await import("./commands/demo.ts")).demo(options, io)))
}
