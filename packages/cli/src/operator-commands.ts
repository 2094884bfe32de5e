import { type Command, Option } from "commander"
import { parseWhole } from "./core/arguments.ts"
import type { Io } from "./io.ts"
import { remote } from "./remote.ts"

/** The commands for schedules and dead letters. */
export function operating(program: Command, io: Io): void {
  scheduling(program, io)
  remote(program.command("dead"))
    .summary("List messages that were given up")
    .description("Lists the messages of all agents that were given up, and why.")
    .action(async (options) => (await import("./commands/dead.ts")).dead(options, io))
  remote(program.command("retry"))
    .summary("Give dead messages to their agent again")
    .description("Accepts an agent's dead messages again: those that are named, or all.")
    .argument("</type/id>", "the agent's address")
    .argument("[messages...]", "keys of messages, as `rouse dead` shows them")
    .action(async (address: string, messages: string[], options) =>
      (await import("./commands/dead.ts")).settleDead("retry", address, messages, options, io),
    )
  remote(program.command("discard"))
    .summary("Settle dead messages for good")
    .description("Settles an agent's dead messages as cancelled, for good: those that are named, or all.")
    .argument("</type/id>", "the agent's address")
    .argument("[messages...]", "keys of messages, as `rouse dead` shows them")
    .action(async (address: string, messages: string[], options) =>
      (await import("./commands/dead.ts")).settleDead("discard", address, messages, options, io),
    )
}

function scheduling(program: Command, io: Io): void {
  remote(program.command("schedules"))
    .summary("List an agent's schedules")
    .description("Lists an agent's schedules, and messages that were sent to it for later.")
    .argument("</type/id>", "the agent's address")
    .action(async (address: string, options) =>
      (await import("./commands/schedules.ts")).schedules(address, options, io),
    )
  remote(program.command("schedule"))
    .summary("Send an agent a message by the clock")
    .description("Sets a schedule of an agent, by name; one of that name is replaced.")
    .argument("</type/id>", "the agent's address")
    .argument("<name>", "the schedule's name")
    .argument("[message]", "text to send")
    .option("--cron <expression>", "by the calendar, like '0 9 * * 1-5'")
    .option("--timezone <name>", "of --cron, like Europe/Berlin; UTC when left out")
    .option("--every <ms>", "at an interval", (text) => parseWhole("--every", text, 1, Number.MAX_SAFE_INTEGER))
    .option("--at <time>", "once, ISO 8601")
    .addOption(new Option("--catch-up <which>", "of what was missed").choices(["skip", "once", "all"]))
    .option("--content <json>", "send JSON instead of text")
    .action(async (address: string, name: string, message: string | undefined, options) =>
      (await import("./commands/schedules.ts")).schedule(address, name, message, options, io),
    )
  remote(program.command("unschedule"))
    .summary("Remove a schedule")
    .description("Removes a schedule of an agent, or a message that was sent for later.")
    .argument("</type/id>", "the agent's address")
    .argument("<name>", "its name, as `rouse schedules` shows it")
    .action(async (address: string, name: string, options) =>
      (await import("./commands/schedules.ts")).unschedule(address, name, options, io),
    )
}
