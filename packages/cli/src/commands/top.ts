import type { Client } from "@rouse/client"
import type { EntitySummary } from "@rouse/protocol"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import type { ExitCode } from "../core/failure.ts"
import { lengthBetween } from "../core/length.ts"
import { glyphsFor } from "../core/look.ts"
import { tableOf } from "../core/top-lines.ts"
import { tokensOf, topOf, topRows, usdOf } from "../core/top.ts"
import type { Sort, Top, TopRow } from "../core/top.ts"
import type { Io } from "../io.ts"
import { queriesOf } from "../terminal/active-list.ts"
import { RunFactsOf } from "../terminal/run-facts.ts"

export interface TopFlags extends RemoteOptions {
  readonly type?: string
  readonly sort: Sort
  readonly filter?: string
  readonly all?: boolean
}

/** Agents that are asked at a time for a snapshot. */
const ASKING_MAX = 8
/** Columns of a table that is not on a terminal. */
const COLUMNS_PLAIN = 200

/** `rouse top`. With `--json` one agent a line; where nobody watches, the table once. */
export async function top(flags: TopFlags, io: Io): Promise<ExitCode> {
  const client = connect(flags, io)
  const begin = topOf(flags.sort, flags.all === true, flags.filter ?? "")
  if (flags.json !== true && io.terminal?.input) {
    const { topScreen } = await import("../terminal/top-screen.ts")
    await client.info({ signal: io.stop })
    await topScreen({ client, type: flags.type, input: io.terminal.input, output: io.terminal.output, io }, begin)
    return 0
  }
  const rows = topRows(await snapshot(client, flags, begin, io), begin)
  if (flags.json === true) io.out(rows.map((row) => `${JSON.stringify(jsonOf(row, io.now()))}\n`).join(""))
  else if (rows.length === 0) io.out(`${io.color.dim("nothing runs")}\n`)
  else {
    const columns = Math.min(io.columns(), COLUMNS_PLAIN)
    const page = { columns, color: io.color, glyphs: glyphsFor(io.env), nowMs: io.now() }
    io.out(`${tableOf(rows, begin, page).join("\n")}\n`)
  }
  return 0
}

async function snapshot(client: Client, { type }: TopFlags, { all }: Top, io: Io): Promise<readonly TopRow[]> {
  const options = { signal: io.stop }
  const pages = await Promise.all(queriesOf(type, all).map((query) => client.list(query, options)))
  const entities = new Map(pages.flatMap((page) => page.entities.map((entity) => [entity.url, entity] as const)))
  const facts = new RunFactsOf(client, io.stop, io.now)
  const waiting = [...entities.values()]
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await facts.load(next)
  }
  await Promise.all(Array.from({ length: ASKING_MAX }, worker))
  return [...entities.values()].map((entity: EntitySummary) => {
    const run = facts.get(entity.url)
    return run === undefined ? { entity } : { entity, run }
  })
}

function jsonOf(row: TopRow, nowMs: number): object {
  const { url, type, status, pending, attempt, activeAt } = row.entity
  const startedAt = row.run?.startedAt
  return {
    url,
    type,
    status,
    activeAt,
    startedAt: startedAt ?? null,
    runMs: lengthBetween(startedAt, undefined, nowMs) ?? null,
    model: row.run?.model ?? null,
    tokens: tokensOf(row),
    usd: usdOf(row),
    pending,
    attempt: attempt ?? null,
  }
}
