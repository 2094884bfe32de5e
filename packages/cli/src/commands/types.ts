import { RouseError } from "@rouse/protocol"
import type { EndpointHealth, Routing, TypeInfo, TypeVersion } from "@rouse/protocol"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import type { Io } from "../io.ts"
import { relativeTime } from "../output/relative-time.ts"
import { table } from "../output/table.ts"

/** `rouse types`. With `--json`: one type a line. */
export async function types(flags: RemoteOptions, io: Io): Promise<void> {
  const found = await connect(flags, io).types({ signal: io.stop })
  if (flags.json === true) return io.out(found.map((type) => `${JSON.stringify(type)}\n`).join(""))
  if (found.length === 0) return io.out(`${io.color.dim("no types; see rouse deploy and rouse worker")}\n`)
  const shown = table(
    found,
    [
      { title: "TYPE", cell: ({ name }) => name, paint: (text) => io.color.bold(text) },
      { title: "VERSION", cell: ({ version }) => version ?? "" },
      { title: "HANDLER", cell: ({ dispatch }) => (dispatch.kind === "webhook" ? dispatch.url : dispatch.kind) },
      { title: "HEALTH", cell: ({ health }) => healthText(health) },
      { title: "ROUTING", cell: ({ routing }) => (routing ? routingText(routing) : "") },
      { title: "DESCRIPTION", cell: ({ description }) => description },
    ],
    { columnsMax: io.columns(), paintTitle: (text) => io.color.dim(text) },
  )
  io.out(`${shown}\n`)
}

export interface VersionsFlags extends RemoteOptions {
  readonly latest?: boolean
  readonly pin?: string
  readonly canary?: string
  readonly percent: number
  readonly remove?: string
  readonly removeType?: boolean
}

/** `rouse versions <type>` */
export async function versions(name: string, flags: VersionsFlags, io: Io): Promise<void> {
  const client = connect(flags, io)
  const { signal } = { signal: io.stop }
  const one = async (): Promise<TypeInfo | undefined> =>
    (await client.types({ signal })).find((type) => type.name === name)
  if (flags.remove !== undefined || flags.removeType === true) await client.removeType(name, flags.remove, { signal })
  const routing = routingOf(flags, await one())
  const type = routing ? await client.route(name, routing, { signal }) : await one()
  if (!type && flags.removeType === true) return io.out(`${name} is removed; its agents wait for it\n`)
  if (!type) throw new RouseError("UNKNOWN_TYPE", `there is no entity type "${name}"`)
  if (flags.json === true) return io.out(`${JSON.stringify(type)}\n`)
  if (!type.versions) return io.out(`${name} is run by the server itself, and has one version\n`)
  io.out(`${versionTable(type.versions, type, io)}\n`)
}

function routingOf(flags: VersionsFlags, type: TypeInfo | undefined): Routing | undefined {
  const { latest, pin, canary, percent } = flags
  const chosen = [latest === true, pin !== undefined, canary !== undefined].filter(Boolean).length
  if (chosen > 1) throw new RouseError("BAD_REQUEST", "give one of --latest, --pin and --canary")
  if (latest === true) return { kind: "latest" }
  if (pin !== undefined) return { kind: "pin", version: pin }
  if (canary === undefined) return undefined
  return { kind: "canary", version: canary, percent, base: baseOf(canary, type) }
}

/** What the other agents begin with: what they begin with now, or the version before. */
function baseOf(canary: string, type: TypeInfo | undefined): string {
  const { routing, version, versions = [] } = type ?? {}
  if (routing?.kind === "canary") return routing.base
  const before = versions.find((one) => one.version !== canary && one.supersededBy === undefined)?.version
  const base = version === canary ? before : version
  if (base === undefined)
    throw new RouseError("BAD_REQUEST", "--canary: there is no other version that the rest can take")
  return base
}

function versionTable(all: readonly TypeVersion[], { version, routing }: TypeInfo, io: Io): string {
  return table(
    all,
    [
      { title: "VERSION", cell: (one) => one.version, paint: (text) => io.color.bold(text) },
      { title: "NEW RUNS", cell: (one) => (routing ? shareOf(one.version, version, routing) : "") },
      { title: "HANDLER", cell: ({ dispatch }) => (dispatch.kind === "webhook" ? dispatch.url : dispatch.kind) },
      { title: "HEALTH", cell: (one) => (one.supersededBy ? `now ${one.supersededBy}` : healthText(one.health)) },
      { title: "REGISTERED", cell: (one) => relativeTime(one.registeredAt, io.now()) },
    ],
    { columnsMax: io.columns(), paintTitle: (text) => io.color.dim(text) },
  )
}

function shareOf(version: string, routed: string | undefined, routing: Routing): string {
  if (routing.kind !== "canary") return version === routed ? "all" : ""
  if (version === routing.version) return `${routing.percent} %`
  return version === routing.base ? `${100 - routing.percent} %` : ""
}

function routingText(routing: Routing): string {
  if (routing.kind === "latest") return "latest"
  return routing.kind === "pin" ? `pinned to ${routing.version}` : `${routing.percent} % to ${routing.version}`
}

function healthText({ state, reason, failures }: EndpointHealth): string {
  if (state === "idle") return "no worker"
  if (state === "ok" && failures === 0) return "ok"
  return `${state}: ${reason ?? `${failures} failures`}`
}
