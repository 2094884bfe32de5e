import { RouseError } from "@rouse/protocol"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseAddress, parseJson } from "../core/arguments.ts"
import type { Io } from "../io.ts"

export interface SignalFlags extends RemoteOptions {
  readonly payload?: string
  readonly tree?: boolean
}

/** `rouse signal </type/id> <signal>` */
export async function signal(address: string, name: string, flags: SignalFlags, io: Io): Promise<void> {
  const { url } = parseAddress(address)
  if (flags.tree === true && flags.payload !== undefined)
    throw new RouseError("INVALID_ARGS", "--tree: goes without --payload")
  const payload =
    flags.tree === true
      ? { tree: true }
      : flags.payload === undefined
        ? undefined
        : parseJson("--payload", flags.payload)
  await connect(flags, io).signal(url, name, payload, { signal: io.stop })
  io.out(
    flags.json === true
      ? `${JSON.stringify({ url, signal: name })}\n`
      : `sent ${name} to ${url}${flags.tree === true ? " and all below it" : ""}\n`,
  )
}
