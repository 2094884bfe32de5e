import type { DeadLetter } from "@rouse/protocol"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseAddress } from "../core/arguments.ts"
import type { Io } from "../io.ts"
import { relativeTime } from "../output/relative-time.ts"
import { table } from "../output/table.ts"
import { textOf } from "../output/text.ts"

/** `rouse dead`. With `--json`: one message a line. */
export async function dead(flags: RemoteOptions, io: Io): Promise<void> {
  const letters: DeadLetter[] = []
  for await (const letter of connect(flags, io).deadLetters({ signal: io.stop })) {
    if (flags.json === true) io.out(`${JSON.stringify(letter)}\n`)
    else letters.push(letter)
  }
  if (flags.json === true) return
  io.out(letters.length === 0 ? `${io.color.dim("no dead letters")}\n` : `${letterTable(letters, io)}\n`)
}

/** `rouse retry` and `rouse discard </type/id> [messages…]` */
export async function settleDead(
  what: "retry" | "discard",
  address: string,
  messages: readonly string[],
  flags: RemoteOptions,
  io: Io,
): Promise<void> {
  const { url } = parseAddress(address)
  const options = messages.length === 0 ? { signal: io.stop } : { messages, signal: io.stop }
  const count = await connect(flags, io)[what](url, options)
  if (flags.json === true) io.out(`${JSON.stringify({ url, messages: count })}\n`)
  else io.out(`${count} ${count === 1 ? "message" : "messages"} of ${url} ${DONE[what]}\n`)
}

const DONE = { retry: "accepted again", discard: "discarded" } as const

function letterTable(letters: readonly DeadLetter[], io: Io): string {
  return table(
    letters,
    [
      { title: "AGENT", cell: ({ url }) => url, paint: (text) => io.color.bold(text) },
      { title: "MESSAGE", cell: ({ message }) => message.id },
      { title: "SENT", cell: ({ message }) => relativeTime(message.at, io.now()) },
      { title: "CONTENT", cell: ({ message }) => textOf(message.content) },
      { title: "REASON", cell: ({ message }) => message.reason ?? "", paint: (text) => io.color.dim(text) },
    ],
    { columnsMax: io.columns(), paintTitle: (text) => io.color.dim(text) },
  )
}
