import { RouseError } from "@rouse/protocol"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseAddress } from "../core/arguments.ts"
import type { Io } from "../io.ts"

export interface StopFlags extends RemoteOptions {
  readonly purge?: boolean
  readonly shared?: boolean
  readonly tree?: boolean
}

/** `rouse stop </type/id>` */
export async function stop(address: string, flags: StopFlags, io: Io): Promise<void> {
  const { url } = parseAddress(address)
  const purge = flags.purge === true
  const shared = flags.shared === true
  if (shared && !purge) throw new RouseError("INVALID_ARGS", "--shared: goes with --purge")
  if (flags.tree === true) {
    if (purge) throw new RouseError("INVALID_ARGS", "--tree: goes without --purge")
    await connect(flags, io).signal(url, "kill", { tree: true }, { signal: io.stop })
    io.out(
      flags.json === true
        ? `${JSON.stringify({ url, stopped: true, tree: true })}\n`
        : `${url} and all below it are stopped\n`,
    )
    return
  }
  await connect(flags, io).delete(url, { purge, shared, signal: io.stop })
  if (flags.json === true) io.out(`${JSON.stringify({ url, stopped: true, purged: purge })}\n`)
  else io.out(purge ? `${url} is stopped, and its log removed\n` : `${url} is stopped; its log stays readable\n`)
}
