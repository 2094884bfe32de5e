import type { ObservationInfo, ObserveSource, Offset, Where } from "@rouse/protocol"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseAddress, parseJson } from "../core/arguments.ts"
import type { Io } from "../io.ts"
import { duration } from "../output/relative-time.ts"
import { table } from "../output/table.ts"

/** `rouse observations </type/id>`. With `--json`: one observation a line. */
export async function observations(address: string, flags: RemoteOptions, io: Io): Promise<void> {
  const { url } = parseAddress(address)
  const found = await connect(flags, io).observations(url, { signal: io.stop })
  if (flags.json === true) io.out(found.map((one) => `${JSON.stringify(one)}\n`).join(""))
  else if (found.length === 0) io.out(`${io.color.dim(`${url} observes nothing`)}\n`)
  else io.out(`${observationTable(found, io)}\n`)
}

export interface ObserveFlags extends RemoteOptions {
  readonly name?: string
  readonly on?: readonly string[]
  readonly where?: string
  readonly debounce?: number
  readonly timeout?: number
  readonly from?: string
}

/** `rouse observe </type/id> <source>` */
export async function observe(address: string, source: string, flags: ObserveFlags, io: Io): Promise<void> {
  const { url } = parseAddress(address)
  const { name, on, debounce, timeout, from } = flags
  const made = await connect(flags, io).addObservation(url, sourceOf(source), {
    signal: io.stop,
    ...(name === undefined ? {} : { name }),
    ...(on === undefined ? {} : { on }),
    ...(flags.where === undefined ? {} : { where: parseJson("--where", flags.where) as Where }),
    ...(debounce === undefined ? {} : { debounce }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(from === undefined ? {} : { from: from as Offset }),
  })
  io.out(flags.json === true ? `${JSON.stringify(made)}\n` : `${url} observes ${textOf(made)} as ${made.name}\n`)
}

/** `rouse unobserve </type/id> <name>` */
export async function unobserve(address: string, name: string, flags: RemoteOptions, io: Io): Promise<void> {
  const { url } = parseAddress(address)
  await connect(flags, io).removeObservation(url, name, { signal: io.stop })
  io.out(flags.json === true ? `${JSON.stringify({ url, name, removed: true })}\n` : `${name} of ${url} is ended\n`)
}

/** A set is given as JSON; all else is an address or a path. */
function sourceOf(text: string): ObserveSource {
  return text.trimStart().startsWith("{") ? (parseJson("source", text) as unknown as ObserveSource) : text
}

function observationTable(found: readonly ObservationInfo[], io: Io): string {
  return table(
    found,
    [
      { title: "OBSERVATION", cell: ({ name }) => name, paint: (text) => io.color.bold(text) },
      { title: "SOURCE", cell: textOf },
      { title: "ON", cell: ({ on = [] }) => on.join(" ") },
      { title: "GATHERS", cell: ({ debounce }) => (debounce === undefined ? "" : duration(debounce)) },
      { title: "TIMEOUT", cell: ({ timeout }) => (timeout === undefined ? "" : duration(timeout)) },
      { title: "TOLD", cell: ({ pending }) => (pending === true ? "not yet all" : "") },
      { title: "WHERE", cell: ({ where }) => (where === undefined ? "" : JSON.stringify(where)) },
    ],
    { columnsMax: io.columns(), paintTitle: (text) => io.color.dim(text) },
  )
}

function textOf({ source }: ObservationInfo): string {
  return typeof source === "string" ? source : JSON.stringify(source)
}
