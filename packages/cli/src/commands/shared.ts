import { type JsonObject, RouseError, type SharedInfo, type SharedRow } from "@rouse/protocol"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseJson } from "../core/arguments.ts"
import type { Io } from "../io.ts"
import { relativeTime } from "../output/relative-time.ts"
import { table } from "../output/table.ts"
import { textOf } from "../output/text.ts"

/** `rouse shared ls`. With `--json`: one space a line. */
export async function list(flags: RemoteOptions, io: Io): Promise<void> {
  const spaces: SharedInfo[] = []
  for await (const space of connect(flags, io).sharedSpaces({ signal: io.stop })) spaces.push(space)
  if (flags.json === true) return io.out(lines(spaces))
  if (spaces.length === 0) return io.out(`${io.color.dim("There are no shared spaces")}\n`)
  io.out(
    `${table(
      spaces,
      [
        { title: "SPACE", cell: ({ id }) => id, paint: (text) => io.color.bold(text) },
        { title: "ROWS", cell: ({ rows }) => String(rows) },
        { title: "MADE", cell: ({ createdAt }) => relativeTime(createdAt, io.now()) },
        { title: "COLLECTIONS", cell: ({ definition }) => Object.keys(definition.collections).join(", ") },
      ],
      { columnsMax: io.columns(), paintTitle: (text) => io.color.dim(text) },
    )}\n`,
  )
}

export interface ShowFlags extends RemoteOptions {
  readonly where?: string
  readonly limit?: number
}

/** `rouse shared show <space> [collection]` */
export async function show(space: string, collection: string | undefined, flags: ShowFlags, io: Io): Promise<void> {
  const shared = connect(flags, io).shared(space)
  if (collection === undefined) {
    const info = await shared.info({ signal: io.stop })
    return io.out(flags.json === true ? lines([info]) : `${JSON.stringify(info, null, 2)}\n`)
  }
  const query = { ...whereOf(flags), ...(flags.limit === undefined ? {} : { limit: flags.limit }) }
  const { rows, next } = await shared.rows(collection, query, { signal: io.stop })
  print(rows, flags, io)
  if (next !== undefined && flags.json !== true) io.err(`${io.color.dim("There are more: give a larger --limit")}\n`)
}

export interface PutFlags extends RemoteOptions {
  readonly key?: string
  readonly expect?: number
}

/** `rouse shared put <space> <collection> <json>` */
export async function put(space: string, collection: string, row: string, flags: PutFlags, io: Io): Promise<void> {
  const shared = connect(flags, io).shared(space)
  const value = objectOf("row", row)
  const { key, expect: version } = flags
  const expected = version === undefined ? {} : { version }
  const change =
    key === undefined ? ({ op: "insert", value } as const) : ({ op: "update", key, set: value, ...expected } as const)
  const { results } = await shared.write(collection, [change], { signal: io.stop })
  const [written] = results
  if (flags.json === true) io.out(lines(results))
  else io.out(`${collection}/${written?.key} has version ${written?.version}\n`)
}

export interface ClaimFlags extends RemoteOptions {
  readonly where?: string
  readonly limit?: number
  readonly leaseMs?: number
  readonly as?: string
}

/** `rouse shared claim <space> <collection>` */
export async function claim(space: string, collection: string, flags: ClaimFlags, io: Io): Promise<void> {
  const { limit, leaseMs, as: holder } = flags
  const request = { ...whereOf(flags), limit, leaseMs, holder }
  print(await connect(flags, io).shared(space).claim(collection, request, { signal: io.stop }), flags, io)
}

function print(rows: readonly SharedRow[], flags: RemoteOptions, io: Io): void {
  if (flags.json === true) return io.out(lines(rows))
  if (rows.length === 0) return io.out(`${io.color.dim("There are no such rows")}\n`)
  io.out(
    `${table(
      rows,
      [
        { title: "KEY", cell: ({ key }) => key, paint: (text) => io.color.bold(text) },
        { title: "VERSION", cell: ({ version }) => String(version) },
        { title: "CLAIM", cell: (row) => claimText(row, io.now()) },
        { title: "ROW", cell: ({ value }) => textOf(value) },
      ],
      { columnsMax: io.columns(), paintTitle: (text) => io.color.dim(text) },
    )}\n`,
  )
}

function claimText({ done, claim: held }: SharedRow, nowMs: number): string {
  if (done) return "done"
  return held === undefined ? "" : `${held.holder}, token ${held.token}, until ${relativeTime(held.expiresAt, nowMs)}`
}

function whereOf({ where }: { readonly where?: string }): { readonly where?: JsonObject } {
  return where === undefined ? {} : { where: objectOf("--where", where) }
}

function objectOf(name: string, text: string): JsonObject {
  const value = parseJson(name, text)
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject
  throw new RouseError("BAD_REQUEST", `${name}: must be a JSON object`)
}

function lines(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join("")
}
