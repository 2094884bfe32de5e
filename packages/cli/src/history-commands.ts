import { type Command, Option } from "commander"
import { collectBudget, collectTag } from "./core/arguments.ts"
import type { ExitCode } from "./core/failure.ts"
import type { Io } from "./io.ts"
import { remote } from "./remote.ts"

/** The commands for what is made of an agent's history. */
export function historic(program: Command, io: Io, exit: (code: ExitCode) => void): void {
  remote(program.command("fork"))
    .summary("Make an agent of another's history")
    .description(
      "Makes an agent of another's history, up to a point of its log, and prints its address. The two go on apart.",
    )
    .argument("</type/id>", "the agent's address")
    .option("--at <offset>", "where to leave its log, as `rouse log --json` shows it; its end when left out")
    .option("--id <id>", "the fork's id; made up when left out")
    .option("--tree", "its children too, as they were then")
    .option("-m, --message <text>", "the fork's first message")
    .option("--run", "go on with the run that was open")
    .option("--tag <name=value>", "set a tag; repeat it for more", collectTag, {})
    .option("--budget <name=amount>", "what it may use, like usd=2; repeat it for more", collectBudget)
    .option("--schedules", "take its schedules over")
    .action(async (address: string, options) => (await import("./commands/fork.ts")).fork(address, options, io))
  remote(program.command("export"))
    .summary("Write an agent or a shared space to a file")
    .description(
      "Writes an agent, its log and its attachments, or a shared space's rows, as a bundle: lines of JSON with their digests.",
    )
    .argument("</type/id>", "the agent's address, or shared/ and a space's id")
    .option("--tree", "all agents below it too")
    .option("-o, --output <file>", "a new file; standard output when left out")
    .action(async (address: string, options) =>
      (await import("./commands/bundle.ts")).exportBundle(address, options, io),
    )
  remote(program.command("import"))
    .summary("Make agents or a shared space of a bundle")
    .description("Makes the agents of a bundle, all or none. Those that were at work are paused.")
    .argument("<file>", "a bundle; - reads standard input")
    .option("--as </type/id>", "another address for the first of them; of a space: shared/id")
    .option("--run", "let those that were at work go on at once")
    .action(async (file: string, options) => (await import("./commands/bundle.ts")).importBundle(file, options, io))
  remote(program.command("replay"))
    .summary("Run a session again with other code")
    .description(
      "Runs an agent's session again, here and in memory, with the handlers of your files, and tells what is different. Tools are answered " +
        "from the agent's log: the world is not touched. Exits with 1 when it went otherwise.",
    )
    .argument("<session>", "an agent's address, or a file that --save wrote")
    .option("--handler <file>", "a module with the handler; repeat it for more", collect, [])
    .option(
      "--model <name>",
      "answers anew: a model's name, or handler for the handler's own; what it said then when left out",
    )
    .option("--at <offset>", "only up to there")
    .addOption(
      new Option("--missing <what>", "of calls that the log does not have")
        .choices(["unknown", "stop", "pure"])
        .default("unknown"),
    )
    .option("--save <file>", "keep the session, for a test")
    .action(async (what: string, options) =>
      exit(await (await import("./commands/replay.ts")).replay(what, options, io)),
    )
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}
