import type { EntityDetail, ServerInfo, TypeInfo } from "@rouse/protocol"
import { connect, serverUrl } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseAddress } from "../core/arguments.ts"
import type { Io } from "../io.ts"
import { fact, facts } from "../output/facts.ts"
import { money } from "../output/money.ts"
import { relativeTime } from "../output/relative-time.ts"
import { paintStatus } from "../core/status-color.ts"
import { table } from "../output/table.ts"

/** `rouse show [/type/id]` */
export async function show(address: string | undefined, flags: RemoteOptions, io: Io): Promise<void> {
  const url = address === undefined ? undefined : parseAddress(address).url
  const client = connect(flags, io)
  const answer = url === undefined ? await client.info({ signal: io.stop }) : await client.get(url, { signal: io.stop })
  if (flags.json === true) io.out(`${JSON.stringify(answer)}\n`)
  else io.out("url" in answer ? entityText(answer, io) : serverText(answer, serverUrl(flags, io), io))
}

function entityText(entity: EntityDetail, io: Io): string {
  const nowMs = io.now()
  const collections = Object.entries(entity.collections).sort(([a], [b]) => (a < b ? -1 : 1))
  return facts(
    [
      ["agent", io.color.bold(entity.url)],
      [
        "status",
        paintStatus(entity.status, io.color) + (entity.attempt === undefined ? "" : ` (attempt ${entity.attempt})`),
      ],
      ["reason", entity.reason === undefined ? undefined : fact(entity.reason)],
      ["spent", spentText(entity)],
      ["waiting", entity.pending === 0 ? undefined : `${entity.pending} messages`],
      ["active", relativeTime(entity.activeAt, nowMs)],
      ["created", `${relativeTime(entity.createdAt, nowMs)} ${io.color.dim(`(${entity.createdAt})`)}`],
      ["parent", entity.parent ?? undefined],
      ["forked", entity.forkedFrom && `from ${entity.forkedFrom.url} at ${entity.forkedFrom.offset}`],
      ["args", Object.keys(entity.args).length === 0 ? undefined : fact(entity.args)],
      ["tags", Object.keys(entity.tags).length === 0 ? undefined : fact(entity.tags)],
      ["rows", collections.map(([name, count]) => `${name} ${io.color.dim(String(count))}`).join("  ")],
      [
        "log",
        `/v1/stream/${entity.stream.replace(/^\/?(v1\/stream\/)?/, "")} ${io.color.dim(`ends at ${entity.offset}`)}`,
      ],
    ],
    io.color,
  )
}

/** What its own model calls cost, and its budget: of itself and of those below it. */
function spentText({ usage, budget }: EntityDetail): string | undefined {
  if (!usage && !budget) return undefined
  const own = `${usage && usage.unpriced > 0 ? "~" : ""}${money(usage?.usd ?? 0)} in ${usage?.calls ?? 0} calls`
  const of = (["usd", "tokens", "steps", "toolCalls"] as const).flatMap((name) => {
    const limit = budget?.limits[name]
    const spent = budget?.spent[name] ?? 0
    if (limit === undefined) return []
    return [name === "usd" ? `${money(spent)} of ${money(limit)}` : `${spent} of ${limit} ${name}`]
  })
  return of.length === 0 ? own : `${own}; budget: ${of.join(", ")}`
}

function serverText(info: ServerInfo, url: string, io: Io): string {
  const about = facts(
    [
      ["server", `${io.color.bold(url)} ${io.color.dim(`rouse ${info.version}`)}`],
      ["access", info.authenticated ? "with a token" : "open to whoever reaches it"],
    ],
    io.color,
  )
  if (info.types.length === 0) return `${about}\n${io.color.dim("no types: name a file, like rouse dev agents.ts")}\n`
  return `${about}\n${typeTable(info.types, io)}\n`
}

function typeTable(types: readonly TypeInfo[], io: Io): string {
  return table(
    types,
    [
      { title: "TYPE", cell: ({ name }) => name, paint: (text) => io.color.bold(text) },
      { title: "ARGS", cell: ({ args }) => argsText(args) },
      { title: "COLLECTIONS", cell: ({ collections }) => collections.join(" ") },
      { title: "DESCRIPTION", cell: ({ description }) => description },
    ],
    { columnsMax: io.columns(), paintTitle: (text) => io.color.dim(text) },
  )
}

/** The names of a JSON Schema's properties; optional ones with `?`. */
function argsText(schema: TypeInfo["args"]): string {
  const properties = schema?.["properties"]
  if (typeof properties !== "object" || properties === null) return ""
  const required = Array.isArray(schema?.["required"]) ? schema["required"] : []
  return Object.keys(properties)
    .map((name) => (required.includes(name) ? name : `${name}?`))
    .join(" ")
}
