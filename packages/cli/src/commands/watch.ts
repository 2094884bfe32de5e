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
}

/** `rouse watch </type/id>`. With `--json`: one event of the log a line. */
export async function watch(address: string, flags: WatchFlags, io: Io): Promise<ExitCode> {
  const { url } = parseAddress(address)
  const client = connect(flags, io)
  const { offset } = await client.get(url, { signal: io.stop })
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
