import type { Offset } from "@rouse/protocol"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseAddress } from "../core/arguments.ts"
import type { ExitCode } from "../core/failure.ts"
import type { Io } from "../io.ts"
import { eventLine } from "../output/event-line.ts"

export interface LogFlags extends RemoteOptions {
  readonly from: string
  readonly follow?: boolean
}

/** `rouse log </type/id>`. With `--json`: one event a line, the last one of each batch with the `offset` after it. */
export async function log(address: string, flags: LogFlags, io: Io): Promise<ExitCode> {
  const { url } = parseAddress(address)
  const client = connect(flags, io)
  const from = flags.from === "now" ? (await client.get(url, { signal: io.stop })).offset : (flags.from as Offset)
  let end = from
  for await (const batch of client.observe(url, { from, live: flags.follow === true, signal: io.stop })) {
    end = batch.offset
    const last = batch.events.length - 1
    const lines = batch.events.map((event, at) =>
      flags.json === true
        ? JSON.stringify(at === last ? { ...event, offset: batch.offset } : event)
        : eventLine(event, io.columns(), io.color),
    )
    if (lines.length > 0) io.out(`${lines.join("\n")}\n`)
  }
  if (flags.json !== true && flags.follow !== true && io.outIsTty) io.out(`${io.color.dim(`the log ends at ${end}`)}\n`)
  if (io.stop.aborted && io.outIsTty) io.out("\n")
  return 0
}
