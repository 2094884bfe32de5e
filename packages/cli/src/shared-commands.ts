import type { Command } from "commander"
import { parseWhole } from "./core/arguments.ts"
import type { Io } from "./io.ts"
import { remote } from "./remote.ts"

const LIMIT_MAX = 1_000
const CLAIM_MAX = 100

/** `rouse shared …`: the rows that agents and people share. */
export function sharing(program: Command, io: Io): void {
  const shared = program
    .command("shared")
    .summary("See and change what agents share")
    .description("Shared spaces: rows that many agents and people write.")
  remote(shared.command("ls"))
    .summary("List shared spaces")
    .description("Lists the server's shared spaces.")
    .action(async (options) => (await import("./commands/shared.ts")).list(options, io))
  remote(shared.command("show"))
    .summary("Show a space, or rows of it")
    .description("Shows what a shared space holds, or the rows of one collection, by key.")
    .argument("<space>", "the space's id")
    .argument("[collection]", "one of its collections")
    .option("--where <json>", 'only rows whose properties equal these, such as \'{"kind":"bug"}\'')
    .option("--limit <n>", "rows at most", (text) => parseWhole("--limit", text, 1, LIMIT_MAX))
    .action(async (space: string, collection: string | undefined, options) =>
      (await import("./commands/shared.ts")).show(space, collection, options, io),
    )
  remote(shared.command("put"))
    .summary("Add or change a row")
    .description(
      "Adds a row to a collection, or, with --key, changes the properties that are given of one that is there.",
    )
    .argument("<space>", "the space's id")
    .argument("<collection>", "one of its collections")
    .argument("<json>", "the row, or what to change of it")
    .option("--key <key>", "the row to change")
    .option("--expect <version>", "only if the row still has this version", (text) =>
      parseWhole("--expect", text, 1, Number.MAX_SAFE_INTEGER),
    )
    .action(async (space: string, collection: string, row: string, options) =>
      (await import("./commands/shared.ts")).put(space, collection, row, options, io),
    )
  remote(shared.command("claim"))
    .summary("Take rows to work on")
    .description(
      "Takes rows of a collection that nobody has. What is not completed or renewed in time is for others again.",
    )
    .argument("<space>", "the space's id")
    .argument("<collection>", "one of its collections")
    .option("--where <json>", "only rows whose properties equal these: those of one of its indexes")
    .option("--limit <n>", "rows at most", (text) => parseWhole("--limit", text, 1, CLAIM_MAX))
    .option("--lease-ms <ms>", "how long they are held", (text) => parseWhole("--lease-ms", text, 1_000, 86_400_000))
    .option("--as <name>", "who works on them")
    .action(async (space: string, collection: string, options) =>
      (await import("./commands/shared.ts")).claim(space, collection, options, io),
    )
}
