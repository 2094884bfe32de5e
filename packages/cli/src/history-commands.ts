import type { Command } from "commander"
import { collectBudget, collectTag } from "./core/arguments.ts"
import type { Io } from "./io.ts"
import { remote } from "./remote.ts"

/** The commands for what is made of an agent's history. */
export function historic(program: Command, io: Io): void {
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
    .summary("Write an agent to a file")
    .description("Writes an agent, its log and its attachments as a bundle: lines of JSON with their digests.")
    .argument("</type/id>", "the agent's address")
    .option("--tree", "all agents below it too")
    .option("-o, --output <file>", "a new file; standard output when left out")
    .action(async (address: string, options) =>
      (await import("./commands/bundle.ts")).exportBundle(address, options, io),
    )
  remote(program.command("import"))
    .summary("Make agents of a bundle")
    .description("Makes the agents of a bundle, all or none. Those that were at work are paused.")
    .argument("<file>", "a bundle; - reads standard input")
    .option("--as </type/id>", "another address for the first of them")
    .option("--run", "let those that were at work go on at once")
    .action(async (file: string, options) => (await import("./commands/bundle.ts")).importBundle(file, options, io))
}
