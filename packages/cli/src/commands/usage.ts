import type { UsageBy, UsageQuery, UsageReport, UsageSum } from "@rouse/protocol"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseAddress, parseTime } from "../core/arguments.ts"
import type { Io } from "../io.ts"
import { money } from "../output/money.ts"
import { table } from "../output/table.ts"

export interface UsageFlags extends RemoteOptions {
  readonly by: UsageBy
  readonly since?: string
  readonly until?: string
  readonly type?: string
  readonly agent?: string
  readonly tree?: string
}

/** `rouse usage`. With `--json`: the report. */
export async function usage(flags: UsageFlags, io: Io): Promise<void> {
  const report = await connect(flags, io).usage(queryOf(flags, io.now()), { signal: io.stop })
  if (flags.json === true) io.out(`${JSON.stringify(report)}\n`)
  else if (report.total.calls === 0) io.out(`${io.color.dim("no model was called")}\n`)
  else io.out(`${usageTable(report, io)}\n${footer(report, io)}`)
}

function queryOf(flags: UsageFlags, nowMs: number): UsageQuery {
  return {
    by: flags.by,
    ...(flags.since === undefined ? {} : { since: parseTime("--since", flags.since, nowMs) }),
    ...(flags.until === undefined ? {} : { until: parseTime("--until", flags.until, nowMs) }),
    ...(flags.type === undefined ? {} : { type: flags.type }),
    ...(flags.agent === undefined ? {} : { entity: parseAddress(flags.agent).url }),
    ...(flags.tree === undefined ? {} : { tree: parseAddress(flags.tree).url }),
  }
}

type Line = UsageSum & { readonly key: string }

function usageTable({ groups, total, by }: UsageReport, io: Io): string {
  const lines: readonly Line[] = groups.length > 1 ? [...groups, { key: "total", ...total }] : groups
  return table(
    lines,
    [
      { title: by.toUpperCase(), cell: ({ key }) => key, paint: (text) => io.color.bold(text) },
      { title: "COST", cell: (line) => cost(line) },
      { title: "CALLS", cell: ({ calls }) => String(calls) },
      { title: "INPUT", cell: ({ inputTokens }) => String(inputTokens) },
      { title: "CACHED", cell: ({ cachedInputTokens }) => (cachedInputTokens === 0 ? "" : String(cachedInputTokens)) },
      { title: "OUTPUT", cell: ({ outputTokens }) => String(outputTokens) },
    ],
    { columnsMax: io.columns(), paintTitle: (text) => io.color.dim(text) },
  )
}

/** A `~` says that part of it is a guess. */
function cost({ usd, unpriced }: UsageSum): string {
  return `${unpriced > 0 ? "~" : ""}${money(usd)}`
}

function footer({ total, more }: UsageReport, io: Io): string {
  const notes = [
    ...(more > 0 ? [`… and ${more} more`] : []),
    ...(total.unpriced > 0
      ? [`${total.unpriced} calls were of models without a price: set ROUSE_PRICES, or useAgent({ price })`]
      : []),
  ]
  return notes.map((note) => `${io.color.dim(note)}\n`).join("")
}
