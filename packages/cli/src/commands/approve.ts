import { type BudgetExtension, RouseError } from "@rouse/protocol"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseAddress, parseJson } from "../core/arguments.ts"
import type { Io } from "../io.ts"

export interface ApproveFlags extends RemoteOptions {
  readonly deny?: boolean
  readonly note?: string
  readonly extend?: BudgetExtension
  /** JSON: the input that is to run instead. */
  readonly edit?: string
  /** JSON, or a text: to a question. */
  readonly answer?: string
}

/** `rouse approve </type/id> <call>` */
export async function approve(address: string, call: string, flags: ApproveFlags, io: Io): Promise<void> {
  const { url } = parseAddress(address)
  if (flags.answer !== undefined) return await answer(url, call, flags, flags.answer, io)
  const decision = flags.deny === true ? "deny" : "allow"
  if (flags.edit !== undefined && decision === "deny")
    throw new RouseError("BAD_REQUEST", "--edit: what is denied does not run; leave out --deny or --edit")
  const input = flags.edit === undefined ? undefined : parseJson("--edit", flags.edit)
  await connect(flags, io).approve(url, call, decision, flags.note, { signal: io.stop, extend: flags.extend, input })
  if (flags.json === true) io.out(`${JSON.stringify({ url, call, decision })}\n`)
  else io.out(`${decision === "allow" ? "allowed" : "denied"} ${call} of ${url}\n`)
}

async function answer(url: string, call: string, flags: ApproveFlags, text: string, io: Io): Promise<void> {
  if (flags.deny === true || flags.edit !== undefined || flags.extend !== undefined)
    throw new RouseError("BAD_REQUEST", "--answer: goes with --note only")
  const value = isJson(text) ? parseJson("--answer", text) : text
  await connect(flags, io).answer(url, call, value, { signal: io.stop, note: flags.note })
  if (flags.json === true) io.out(`${JSON.stringify({ url, call, answer: value })}\n`)
  else io.out(`answered ${call} of ${url}\n`)
}

/** What looks like JSON is JSON: a broken object is a mistake, and not a text. */
function isJson(text: string): boolean {
  return /^\s*([[{"0-9-]|(true|false|null)\s*$)/.test(text)
}
