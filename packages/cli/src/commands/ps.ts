import type { EntityPage, EntityQuery, EntityStatus, EntitySummary } from "@rouse/protocol"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseAddress } from "../core/arguments.ts"
import type { Io } from "../io.ts"
import { relativeTime } from "../output/relative-time.ts"
import { paintStatus } from "../core/status-color.ts"
import { table } from "../output/table.ts"

export interface PsFlags extends RemoteOptions {
  readonly type?: string
  readonly status?: EntityStatus
  readonly tag?: string
  readonly parent?: string
  readonly limit: number
  readonly all?: boolean
}

const NO_AGENTS = 'no agents yet: rouse spawn <type>, or rouse send /type/id "hello"'

/** `rouse ps`. With `--json`: one entity a line. */
export async function ps(flags: PsFlags, io: Io): Promise<void> {
  const query = queryOf(flags)
  const client = connect(flags, io)
  const page =
    flags.all === true
      ? await everything(client.listAll(query, { signal: io.stop }))
      : await client.list(query, { signal: io.stop })
  if (flags.json === true) {
    io.out(page.entities.map((entity) => `${JSON.stringify(entity)}\n`).join(""))
    return
  }
  if (page.entities.length === 0) {
    const isFiltered = Object.keys(query).length > 1
    io.out(`${io.color.dim(isFiltered ? "no agents match" : NO_AGENTS)}\n`)
    return
  }
  io.out(`${entityTable(page.entities, io)}\n`)
  if (page.next !== undefined) io.out(`${io.color.dim("… and more: --all, or a larger --limit")}\n`)
}

function queryOf(flags: PsFlags): EntityQuery {
  return {
    ...(flags.type === undefined ? {} : { type: flags.type }),
    ...(flags.status === undefined ? {} : { status: flags.status }),
    ...(flags.tag === undefined ? {} : { tag: flags.tag }),
    ...(flags.parent === undefined ? {} : { parent: parseAddress(flags.parent).url }),
    limit: flags.limit,
  }
}

async function everything(entities: AsyncIterable<EntitySummary>): Promise<EntityPage> {
  const found: EntitySummary[] = []
  for await (const entity of entities) found.push(entity)
  return { entities: found }
}

function entityTable(entities: readonly EntitySummary[], io: Io): string {
  const nowMs = io.now()
  return table(
    entities,
    [
      { title: "AGENT", cell: ({ url }) => url, paint: (text) => io.color.bold(text) },
      {
        title: "STATUS",
        cell: ({ status }) => status,
        paint: (text, { status }) => paintStatus(status, io.color, text),
      },
      { title: "ACTIVE", cell: ({ activeAt }) => relativeTime(activeAt, nowMs) },
      { title: "WAITING", cell: ({ pending }) => (pending === 0 ? "" : String(pending)) },
      { title: "PARENT", cell: ({ parent }) => parent ?? "" },
      { title: "TAGS", cell: ({ tags }) => tagText(tags) },
      { title: "REASON", cell: ({ reason }) => reason ?? "", paint: (text) => io.color.dim(text) },
    ],
    { columnsMax: io.columns(), paintTitle: (text) => io.color.dim(text) },
  )
}

function tagText(tags: Readonly<Record<string, string>>): string {
  return Object.entries(tags)
    .map(([name, value]) => (value === "" ? name : `${name}=${value}`))
    .join(" ")
}
