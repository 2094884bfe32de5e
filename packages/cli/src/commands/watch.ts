import { applyChanges, emptyTimeline, statusOf } from "@rouse/client"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseAddress } from "../core/arguments.ts"
import type { ExitCode } from "../core/failure.ts"
import type { Io } from "../io.ts"
import { Screen } from "../output/screen.ts"
import { advance } from "../output/transcript.ts"
import type { Shown } from "../output/transcript.ts"

export interface WatchFlags extends RemoteOptions {
  readonly new?: boolean
  /** How many items of the past a terminal shows. */
  readonly last?: number
  readonly reasoning?: boolean
}

/** What a terminal shows of the past when nothing is said: some screens. */
const LAST = 50

/** `rouse watch </type/id>`. With `--json`: one event of the log a line. Where standard output is no terminal: lines that only grow. */
export async function watch(address: string, flags: WatchFlags, io: Io): Promise<ExitCode> {
  const { url } = parseAddress(address)
  const client = connect(flags, io)
  const { offset } = await client.get(url, { signal: io.stop })
  if (io.terminal && flags.json !== true) {
    const { watchTerminal } = await import("../terminal/watch-terminal.ts")
    const look = { last: flags.new === true ? 0 : (flags.last ?? LAST), reasoning: flags.reasoning === true }
    await watchTerminal(client, url, look, io.terminal, io)
    return 0
  }
  const batches = client.observe(url, { ...(flags.new === true ? { from: offset } : {}), signal: io.stop })
  if (flags.json === true) {
    for await (const { events } of batches) io.out(events.map((event) => `${JSON.stringify(event)}\n`).join(""))
    return 0
  }
  const screen = new Screen(io, { split: false })
  let timeline = emptyTimeline()
  let shown: Shown = new Map()
  try {
    for await (const { events } of batches) {
      timeline = applyChanges(timeline, events)
      const [next, pieces] = advance(shown, timeline, { url, streaming: true, messages: true, replies: true })
      shown = next
      screen.write(pieces)
      const activity = statusOf(timeline)
      if (activity.busy) screen.status(activity.label)
      else screen.rest()
      if (activity.kind === "stopped") break
    }
  } finally {
    screen.rest()
  }
  if (io.stop.aborted && io.outIsTty) io.out("\n")
  return 0
}
