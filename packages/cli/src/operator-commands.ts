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
  remote(program.command("observations"))
    .summary("List what an agent observes")
    .description("Lists what an agent is roused by: other agents, sets of agents, and streams.")
    .argument("</type/id>", "the agent's address")
    .action(async (address: string, options) =>
      (await import("./commands/observations.ts")).observations(address, options, io),
    )
  remote(program.command("observe"))
    .summary("Have an agent roused by what happens elsewhere")
    .description("Has an agent observe another one, all of a type, or a stream.")
    .argument("</type/id>", "the agent's address")
    .argument("<source>", "an agent's address, a stream's path, or a set as JSON: '{\"type\":\"worker\"}'")
    .option("--name <name>", "what it is known by; made of the source when left out")
    .option("--on <topics...>", "like finished, notes, notes:insert; of a set: join, leave, change")
    .option("--where <json>", "a condition on the row")
    .option("--debounce <ms>", "gather changes", (text) => parseWhole("--debounce", text, 0, Number.MAX_SAFE_INTEGER))
    .option("--timeout <ms>", "tell of silence", (text) => parseWhole("--timeout", text, 1, Number.MAX_SAFE_INTEGER))
    .option("--from <where>", "now, beginning, or an offset")
    .action(async (address: string, source: string, options) =>
      (await import("./commands/observations.ts")).observe(address, source, options, io),
    )
  remote(program.command("unobserve"))
    .summary("End an observation")
    .description("Ends an observation of an agent.")
    .argument("</type/id>", "the agent's address")
    .argument("<name>", "its name, as `rouse observations` shows it")
    .action(async (address: string, name: string, options) =>
      (await import("./commands/observations.ts")).unobserve(address, name, options, io),
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
