import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseAddress, parseJson } from "../core/arguments.ts"
import type { Io } from "../io.ts"

export interface SignalFlags extends RemoteOptions {
  readonly payload?: string
}

/** `rouse signal </type/id> <signal>` */
export async function signal(address: string, name: string, flags: SignalFlags, io: Io): Promise<void> {
  const { url } = parseAddress(address)
  const payload = flags.payload === undefined ? undefined : parseJson("--payload", flags.payload)
  await connect(flags, io).signal(url, name, payload, { signal: io.stop })
  io.out(flags.json === true ? `${JSON.stringify({ url, signal: name })}\n` : `sent ${name} to ${url}\n`)
}
