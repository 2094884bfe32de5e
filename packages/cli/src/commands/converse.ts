import type { Client } from "@rouse/client"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseAddress } from "../core/arguments.ts"
import type { Option } from "../core/choice.ts"
import { usage } from "../core/failure.ts"
import type { ExitCode } from "../core/failure.ts"
import type { Io, TerminalInput, TerminalOutput } from "../io.ts"
import { choose } from "../terminal/choose.ts"
import { converse } from "../terminal/converse.ts"
import { orSpawn } from "./or-spawn.ts"

/** How many agents there are to choose from, beside new ones. */
const RECENT_MAX = 8

/** A conversation with the agent at an address, made if it is not there; without an address, with one that the person chooses. */
export async function converseWith(address: string | undefined, flags: RemoteOptions, io: Io): Promise<ExitCode> {
  if (io.terminal?.input === undefined) throw usage("a conversation needs a terminal")
  const ends = { input: io.terminal.input, output: io.terminal.output }
  const client = connect(flags, io)
  const chosen = address ?? (await chosenAddress(client, ends, io))
  if (chosen === undefined) return 130
  const { url, type } = parseAddress(chosen)
  await orSpawn(client, url, type, flags, io, () => client.get(url, { signal: io.stop }))
  await converse({ client, url, io, ...ends })
  return 0
}

async function chosenAddress(
  client: Client,
  ends: { readonly input: TerminalInput; readonly output: TerminalOutput },
  io: Io,
): Promise<string | undefined> {
  const [types, recent] = await Promise.all([
    client.types({ signal: io.stop }),
    client.list({ limit: RECENT_MAX }, { signal: io.stop }),
  ])
  const made: readonly Option[] = types.map(({ name, description }) => ({
    value: `/${name}/${io.uuid()}`,
    label: `a new ${name}${description === undefined ? "" : `: ${description}`}`,
  }))
  const known = recent.entities.map(({ url, status }) => ({ value: url, label: `${url} (${status})` }))
  const options = [...made, ...known]
  if (options.length === 0) throw usage("the server has no types yet: add one to the files that `rouse dev` serves")
  return options.length === 1 ? options[0]?.value : await choose("Talk to", options, ends, io)
}
