import type { BudgetExtension } from "@rouse/protocol"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseAddress } from "../core/arguments.ts"
import type { Io } from "../io.ts"

export interface ApproveFlags extends RemoteOptions {
  readonly deny?: boolean
  readonly note?: string
  readonly extend?: BudgetExtension
}

/** `rouse approve </type/id> <call>` */
export async function approve(address: string, call: string, flags: ApproveFlags, io: Io): Promise<void> {
  const { url } = parseAddress(address)
  const decision = flags.deny === true ? "deny" : "allow"
  await connect(flags, io).approve(url, call, decision, flags.note, { signal: io.stop, extend: flags.extend })
  if (flags.json === true) io.out(`${JSON.stringify({ url, call, decision })}\n`)
  else io.out(`${decision === "allow" ? "allowed" : "denied"} ${call} of ${url}\n`)
}
