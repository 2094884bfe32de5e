import { Argument, Command, Option } from "commander"
import { collectBudget, collectExtension, collectTag, parsePort, parseWhole } from "./core/arguments.ts"
import { DEFAULT_DATA, DEFAULT_PORT, DEFAULT_URL } from "./core/defaults.ts"
import type { ExitCode } from "./core/failure.ts"
import { SORTS } from "./core/top.ts"
import { historic } from "./history-commands.ts"
import type { Io } from "./io.ts"
import { mcpCommand } from "./mcp-command.ts"
import { handling } from "./handler-commands.ts"
import { operating } from "./operator-commands.ts"
import { pgSourceCommands } from "./pg-source-commands.ts"
import { remote } from "./remote.ts"
import { sharing } from "./shared-commands.ts"
import { serving } from "./serving-commands.ts"
import { webhookCommands } from "./webhook-commands.ts"
import { version } from "./version.ts"

/** The commands, their arguments and help. What each does is imported when it is run. */
export function createProgram(io: Io, exit: (code: ExitCode) => void): Command {
  const program = new Command("rouse")
  const { bold, cyan, dim } = io.color
  program
    .description("Serverless agents on a durable log.")
    .usage("<command> [options]")
    .helpOption("-h, --help", "Show this help")
    .version(version(), "-v, --version", "Show the version")
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.out, outputError: () => undefined })
    .configureHelp({
      styleTitle: bold,
      styleCommandText: cyan,
      styleSubcommandText: cyan,
      styleOptionText: cyan,
      subcommandTerm: (command) => [command.name(), ...command.registeredArguments.map(argumentTerm)].join(" "),
    })
    .addHelpText("after", helpEnd(bold, dim))

  program.commandsGroup(bold("Run a server:"))
  serving(program, io, exit)
  program.commandsGroup(bold("Talk to agents:"))
  talking(program, io, exit)
  mcpCommand(program, io)
  program.commandsGroup(bold("See what happens:"))
  seeing(program, io, exit)
  program.commandsGroup(bold("Step in:"))
  steppingIn(program, io)
  program.commandsGroup(bold("Look after agents:"))
  operating(program, io)
  historic(program, io, exit)
  sharing(program, io)
  program.commandsGroup(bold("Handlers elsewhere:"))
  handling(program, io, exit)
  webhookCommands(program, io)
  pgSourceCommands(program, io)
  program.commandsGroup(bold("More:"))
  more(program, io, exit)
  program.addHelpCommand(new Command("help").argument("[command]").description("Show help, of all or one command"))
  for (const command of program.commands)
    command.copyInheritedSettings(program).helpOption("-h, --help", "Show this help")
  return program
}

function talking(program: Command, io: Io, exit: (code: ExitCode) => void): void {
  remote(program.command("send"))
    .summary("Send a message, stream the reply; or open a conversation")
    .description(
      "Sends a message to an agent and prints the reply as it is written. Without a message a terminal opens a conversation, and a pipe " +
        "is read, as it is with -. An agent that is not there yet is spawned, unless its type needs arguments: then `rouse spawn` it.\n\n" +
        "The reply goes to standard output; what else happens (tools, reasoning) to standard error.",
    )
    .argument("[/type/id]", "the agent's address; without it, a conversation with an agent of your choice")
    .argument("[message]", "text to send; - reads standard input")
    .addOption(
      new Option("-m, --mode <mode>", "join the run under way, wait for the next, or abort it first").choices([
        "steer",
        "queue",
        "interrupt",
      ]),
    )
    .option("--no-wait", "do not wait for the reply")
    .option("--content <json>", "send JSON instead of text")
    .option("-a, --attach <file...>", "files that come with the message")
    .action(async (address: string | undefined, message: string | undefined, options) =>
      exit(await (await import("./commands/send.ts")).send(address, message, options, io)),
    )
  remote(program.command("spawn"))
    .summary("Make an agent")
    .description("Makes an agent of a type. Without an id, one is made up. The same spawn twice is one agent.")
    .argument("<type>", "a type, or a whole address /type/id")
    .option("-a, --args <json>", "the agent's arguments, a JSON object")
    .option("-t, --tag <name=value>", "a tag; may be repeated", collectTag, {})
    .option("-m, --message <text>", "its first message")
    .option("-b, --budget <name=number>", "what it may use, like usd=2; may be repeated", collectBudget)
    .action(async (target: string, options) => (await import("./commands/spawn.ts")).spawn(target, options, io))
  remote(program.command("watch"))
    .summary("Follow what an agent does")
    .description("Shows an agent's conversation, and then what it does as it happens, until Ctrl-C.")
    .argument("</type/id>", "the agent's address")
    .option("--new", "only what happens from now on")
    .option("--last <number>", "in a terminal: how many items of the past; 50 when absent", (text) =>
      parseWhole("--last", text, 0, 1_000_000),
    )
    .option("--reasoning", "in a terminal: reasoning in full, not folded")
    .action(async (address: string, options) =>
      exit(await (await import("./commands/watch.ts")).watch(address, options, io)),
    )
}

function seeing(program: Command, io: Io, exit: (code: ExitCode) => void): void {
  remote(program.command("usage"))
    .summary("Show what models used and cost")
    .description(
      "Sums up what model calls used and cost, the dearest first. Hours are kept for a day, days for a month, and the sum for ever.",
    )
    .addOption(
      new Option("--by <what>", "what to sum up by").choices(["type", "model", "entity", "tree"]).default("type"),
    )
    .option("--since <time>", "from then on: ISO 8601, or 90m, 12h, 7d ago")
    .option("--until <time>", "up to then")
    .option("--type <name>", "only agents of this type")
    .option("--agent </type/id>", "only this agent")
    .option("--tree </type/id>", "only this agent and all below it")
    .action(async (options) => (await import("./commands/usage.ts")).usage(options, io))
  remote(program.command("top"))
    .summary("A live table of what runs")
    .description(
      "Shows the agents that run, wait to run or are suspended: since when, on which model, what they used and cost. s sorts, / filters, " +
        "q quits. Where nobody watches, or with --json, it is printed once.",
    )
    .option("--type <name>", "only of this type")
    .addOption(new Option("--sort <what>", "what is most first").choices(SORTS).default("spend"))
    .option("--filter <words>", "only agents with these words in address, status, model or tags")
    .option("--all", "the newest of all agents, idle ones too")
    .action(async (options) => exit(await (await import("./commands/top.ts")).top(options, io)))
  remote(program.command("ps"))
    .summary("List agents, newest activity first")
    .description("Lists agents, newest activity first.")
    .option("--type <name>", "only of this type")
    .addOption(
      new Option("--status <status>", "only in this status").choices([
        "idle",
        "queued",
        "running",
        "suspended",
        "paused",
        "dead",
        "stopped",
      ]),
    )
    .option("--tag <name[=value]>", "only with this tag")
    .option("--parent </type/id>", "only children of this agent")
    .option("-n, --limit <number>", "at most this many", (text) => parseWhole("--limit", text, 1, 1_000), 100)
    .option("--all", "page through all of them")
    .action(async (options) => (await import("./commands/ps.ts")).ps(options, io))
  remote(program.command("show"))
    .summary("Inspect an agent, or the server")
    .description(
      "Shows one agent: its status, arguments, tags and how many rows it has. Without an address: the server and its types.",
    )
    .argument("[/type/id]", "the agent's address")
    .action(async (address: string | undefined, options) =>
      (await import("./commands/show.ts")).show(address, options, io),
    )
  remote(program.command("attachments"))
    .summary("Files of an agent")
    .description("Lists the files beside an agent's log, or writes one to a file.")
    .argument("</type/id>", "the agent's address")
    .argument("[id]", "one of them")
    .option("-o, --output <file>", "where to write it")
    .option("--delete", "delete it, for good")
    .action(async (address: string, id: string | undefined, options) =>
      (await import("./commands/attachments.ts")).attachments(address, id, options, io),
    )
  remote(program.command("state"))
    .summary("Print an agent's rows")
    .description(
      "Prints an agent's live rows: of one collection, or the author's collections and how many rows the others have.",
    )
    .argument("</type/id>", "the agent's address")
    .argument("[collection]", "one collection, like message, tool_call or the author's own")
    .action(async (address: string, collection: string | undefined, options) =>
      (await import("./commands/state.ts")).state(address, collection, options, io),
    )
  remote(program.command("log"))
    .summary("Print an agent's log")
    .description("Prints the events of an agent's log. With --json, each as it is on the stream, one a line.")
    .argument("</type/id>", "the agent's address")
    .option("--from <offset>", "begin after this offset; -1 is the beginning, now the end", "-1")
    .option("-f, --follow", "go on with what is written, until Ctrl-C")
    .action(async (address: string, options) =>
      exit(await (await import("./commands/log.ts")).log(address, options, io)),
    )
}

function steppingIn(program: Command, io: Io): void {
  remote(program.command("approvals"))
    .summary("List what waits for people")
    .description(
      "Lists tool calls that wait for an approval and questions that wait for an answer, of all agents, oldest first.",
    )
    .option("--type <type>", "only of agents of this type")
    .option("--tool <name>", "only calls of this tool")
    .option("--for <name>", "only what this principal may decide")
    .action(async (options) => (await import("./commands/approvals.ts")).approvals(options, io))
  remote(program.command("approve"))
    .summary("Allow or deny a tool call that waits, answer a question, or give more budget")
    .description(
      "Allows a tool call that waits for a person, as it is or with another input, or denies it; answers a question; or adds to a " +
        "budget that is used up. `rouse approvals` shows what waits.",
    )
    .argument("</type/id>", "the agent's address")
    .argument("<call>", "the call's key, like r000001-s0001-p001")
    .option("--deny", "deny it")
    .option("--note <text>", "what to tell the agent")
    .option("--edit <json>", "the input that is to run instead")
    .option("--answer <json>", "the answer to a question, as JSON or a text")
    .option("--extend <name=number>", "what to add to its budget, like usd=1; may be repeated", collectExtension)
    .action(async (address: string, call: string, options) =>
      (await import("./commands/approve.ts")).approve(address, call, options, io),
    )
  remote(program.command("signal"))
    .summary("Interrupt, pause or resume an agent")
    .description(
      "Sends a signal: interrupt aborts the run, pause and resume hold the agent, kill stops it. Any other name goes to its handler.",
    )
    .argument("</type/id>", "the agent's address")
    .argument("<signal>", "interrupt, pause, resume, kill, or a custom one")
    .option("--payload <json>", "what a custom signal carries")
    .option("--tree", "interrupt, pause, resume or kill all agents below it too")
    .action(async (address: string, signal: string, options) =>
      (await import("./commands/signal.ts")).signal(address, signal, options, io),
    )
  remote(program.command("stop"))
    .summary("Stop an agent for good")
    .description("Stops an agent for good. Its log stays readable.")
    .argument("</type/id>", "the agent's address")
    .option("--purge", "remove its log and rows too")
    .option("--shared", "with --purge: remove the rows that it inserted into shared spaces too")
    .option("--tree", "stop all agents below it too")
    .action(async (address: string, options) => (await import("./commands/stop.ts")).stop(address, options, io))
}

function more(program: Command, io: Io, exit: (code: ExitCode) => void): void {
  remote(program.command("doctor"))
    .summary("Check what a server needs here")
    .description(
      "Checks Node, the data directory, the port, the model keys and the server at ROUSE_URL. Exits 1 when something is broken.",
    )
    .option("-p, --port <number>", "the port a server would use", parsePort, DEFAULT_PORT)
    .option("-d, --data <directory>", "the data directory a server would use", DEFAULT_DATA)
    .action(async (options) => exit(await (await import("./commands/doctor.ts")).doctor(options, io)))
  program
    .command("openapi")
    .summary("Print the HTTP API as OpenAPI")
    .description("Prints the OpenAPI 3.1 document of the HTTP API, as a server has it at /v1/openapi.json.")
    .option("--json", "it is JSON in any case")
    .action(async () => (await import("./commands/openapi.ts")).openapi(io))
  program
    .command("completion")
    .summary("Print a shell's completion script")
    .description(
      "Prints a completion script.\n\n  bash:  echo 'source <(rouse completion bash)' >> ~/.bashrc\n" +
        "  zsh:   echo 'source <(rouse completion zsh)' >> ~/.zshrc\n  fish:  rouse completion fish > ~/.config/fish/completions/rouse.fish",
    )
    .addArgument(new Argument("<shell>", "which shell").choices(["bash", "zsh", "fish"]))
    .option("--json", "print it as a JSON string")
    .action(async (shell: string, options) => (await import("./commands/completion.ts")).completion(shell, options, io))
  program
    .command("__complete", { hidden: true })
    .argument("[words...]")
    .action(async (words: string[]) => (await import("./commands/completion.ts")).completeWords(words, program, io))
}

function argumentTerm(argument: Argument): string {
  const name = argument.name() + (argument.variadic ? "…" : "")
  return argument.required ? `<${name}>` : `[${name}]`
}

function helpEnd(bold: (text: string) => string, dim: (text: string) => string): string {
  return `
${bold("The first minute:")}
  rouse init hello && cd hello && rouse dev   ${dim("# a server and its page")}
  rouse send /assistant/one "hello"           ${dim("# in another terminal")}

${bold("Environment:")}
  ROUSE_URL     the server that commands talk to (${DEFAULT_URL})
  ROUSE_TOKEN   the token they send
  ROUSE_DATABASE_URL  a Postgres to keep everything in, for dev, start and streams
  ROUSE_PG_SOURCES    databases whose changed rows rouse agents, for dev and start
  ROUSE_SECRETS_DIR   a directory with a file for each secret, for dev and start
  NO_COLOR      no colours`
}
