import type { CatchUp, ScheduleInfo, ScheduleRule } from "@rouse/protocol"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseAddress, parseJson } from "../core/arguments.ts"
import type { Io } from "../io.ts"
import { duration, relativeTime } from "../output/relative-time.ts"
import { table } from "../output/table.ts"
import { textOf } from "../output/text.ts"

/** `rouse schedules </type/id>`. With `--json`: one schedule a line. */
export async function schedules(address: string, flags: RemoteOptions, io: Io): Promise<void> {
  const { url } = parseAddress(address)
  const found = await connect(flags, io).schedules(url, { signal: io.stop })
  if (flags.json === true) io.out(found.map((schedule) => `${JSON.stringify(schedule)}\n`).join(""))
  else io.out(found.length === 0 ? `${io.color.dim(`${url} has no schedules`)}\n` : `${scheduleTable(found, io)}\n`)
}

export interface ScheduleFlags extends RemoteOptions {
  readonly cron?: string
  readonly timezone?: string
  readonly every?: number
  readonly at?: string
  readonly catchUp?: CatchUp
  readonly content?: string
}

/** `rouse schedule </type/id> <name> [message]` */
export async function schedule(
  address: string,
  name: string,
  message: string | undefined,
  flags: ScheduleFlags,
  io: Io,
): Promise<void> {
  const { url } = parseAddress(address)
  const content = flags.content === undefined ? (message ?? "") : parseJson("--content", flags.content)
  const { cron, timezone, every, at, catchUp } = flags
  const fields = Object.entries({ cron, timezone, every, at }).filter(([, value]) => value !== undefined)
  const rule = Object.fromEntries(fields) as unknown as ScheduleRule
  const made = await connect(flags, io).schedule(url, name, rule, content, { catchUp, signal: io.stop })
  if (flags.json === true) io.out(`${JSON.stringify(made)}\n`)
  else io.out(`${name} of ${url} is due ${relativeTime(made.dueAt, io.now())}, at ${made.dueAt}\n`)
}

/** `rouse unschedule </type/id> <name>` */
export async function unschedule(address: string, name: string, flags: RemoteOptions, io: Io): Promise<void> {
  const { url } = parseAddress(address)
  await connect(flags, io).unschedule(url, name, { signal: io.stop })
  io.out(flags.json === true ? `${JSON.stringify({ url, name, removed: true })}\n` : `${name} of ${url} is removed\n`)
}

function scheduleTable(found: readonly ScheduleInfo[], io: Io): string {
  const nowMs = io.now()
  return table(
    found,
    [
      { title: "SCHEDULE", cell: ({ name }) => name, paint: (text) => io.color.bold(text) },
      { title: "RULE", cell: ({ rule }) => ruleText(rule) },
      { title: "DUE", cell: ({ dueAt }) => relativeTime(dueAt, nowMs) },
      { title: "FIRED", cell: ({ firedAt }) => (firedAt === undefined ? "" : relativeTime(firedAt, nowMs)) },
      { title: "MISSED", cell: ({ catchUp }) => catchUp ?? "" },
      { title: "MESSAGE", cell: ({ content }) => textOf(content) },
    ],
    { columnsMax: io.columns(), paintTitle: (text) => io.color.dim(text) },
  )
}

function ruleText(rule: ScheduleRule | undefined): string {
  if (rule === undefined) return "sent for later"
  if ("every" in rule) return `every ${duration(rule.every)}`
  return "at" in rule ? `at ${rule.at}` : `${rule.cron} ${rule.timezone ?? "UTC"}`
}
