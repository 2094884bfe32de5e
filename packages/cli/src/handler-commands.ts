import type { Command } from "commander"
import { parseWhole } from "./core/arguments.ts"
import type { ExitCode } from "./core/failure.ts"
import type { Io } from "./io.ts"
import { remote } from "./remote.ts"

/** The commands for handlers that are not in the server's process. */
export function handling(program: Command, io: Io, exit: (code: ExitCode) => void): void {
  remote(program.command("deploy"))
    .summary("Register the handler at an address")
    .description(
      "Has the server ask the handler at an address which types it has, and sends their wakes there from now on. The address is one that the\n" +
        "server reaches: of a function, an app's route, a worker on the edge. Runs under way stay in the version that they began with.",
    )
    .argument("<address>", "where the handler is, like https://app.example.com/agents")
    .option("--as <version>", "the version; default: as the handler says, else the next number")
    .action(async (address: string, options) => (await import("./commands/deploy.ts")).deploy(address, options, io))
  remote(program.command("worker"))
    .summary("Run agents here for a server elsewhere")
    .description(
      "Runs the agents of your files: it asks the server for wakes, so that nothing has to reach this machine. Until Ctrl-C or SIGTERM: then it\n" +
        "takes no more, and gives back what does not come to an end.",
    )
    .argument("[files...]", "modules that define entities")
    .option("--as <version>", "the version of this code; default: 1")
    .option("--capacity <number>", "wakes at the same time", (text) => parseWhole("--capacity", text, 1, 1_000), 16)
    .option("--name <name>", "names this worker, for people")
    .action(async (files: string[], options) =>
      exit(await (await import("./commands/worker.ts")).worker(files, options, io)),
    )
  remote(program.command("types"))
    .summary("List types, their handlers and health")
    .description("Lists the entity types of a server: where their handlers are, and how they answer.")
    .action(async (options) => (await import("./commands/types.ts")).types(options, io))
  remote(program.command("versions"))
    .summary("Show or choose a type's version")
    .description(
      "Shows the versions of a type. With an option: chooses which begins new runs, at once. Runs under way stay in theirs.",
    )
    .argument("<type>", "the type")
    .option("--latest", "the one registered last")
    .option("--pin <version>", "this one, whatever is registered later; also a rollback")
    .option("--canary <version>", "this one for a part of the agents, always the same ones")
    .option("--percent <number>", "how many of a hundred", (text) => parseWhole("--percent", text, 0, 100), 10)
    .option("--remove <version>", "take this one away")
    .option("--remove-type", "take the type away; its agents wait")
    .action(async (type: string, options) => (await import("./commands/types.ts")).versions(type, options, io))
}
