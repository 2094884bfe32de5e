import { type Command, Option } from "commander"
import type { Io } from "./io.ts"
import { remote } from "./remote.ts"

/** `rouse webhooks`: who may rouse agents from outside by a signature. */
export function webhookCommands(program: Command, io: Io): void {
  const webhooks = program
    .command("webhooks")
    .summary("Sources of webhooks that rouse agents")
    .description(
      "Lists, adds and removes sources of webhooks: GitHub, Stripe, Slack and others that sign with a secret.",
    )
  remote(webhooks.command("ls"))
    .description("Lists the sources.")
    .action(async (options) => (await import("./commands/webhooks.ts")).webhooks(options, io))
  remote(webhooks.command("add"))
    .description(
      "Adds or replaces a source. Its webhooks go to POST /v1/webhooks/<name>, and from there to the agent that --to names and to the stream webhooks/<name>.",
    )
    .argument("<name>", "the source's name")
    .addOption(
      new Option("--kind <kind>", "whose signatures").choices(["github", "stripe", "slack", "standard", "hmac"]),
    )
    .option("--secret <name...>", "name of the secret it signs with, never its value; two while it is replaced")
    .option("--to <type/id>", "agent to tell; its id may hold paths, like /triage/{body.issue.number}")
    .option("--message <template>", "text to tell it; without it the whole delivery")
    .option("--where <json>", 'condition on the delivery, like \'{"event":"issues"}\'')
    .option("--file <path>", "all of it from a JSON file instead")
    .action(async (name: string, options) => (await import("./commands/webhooks.ts")).addWebhook(name, options, io))
  remote(webhooks.command("rm"))
    .description("Removes a source. Its stream stays.")
    .argument("<name>", "the source's name")
    .action(async (name: string, options) => (await import("./commands/webhooks.ts")).removeWebhook(name, options, io))
}
