import type { Client } from "@rouse/client"
import { statusOf } from "@rouse/client"
import type { EntityUrl } from "@rouse/protocol"
import { glyphsFor } from "../core/look.ts"
import { NOTHING_SCROLLED, scroll, skipped } from "../core/scroll.ts"
import type { Scrolled } from "../core/scroll.ts"
import { statusLine } from "../core/status-line.ts"
import type { View } from "../core/view.ts"
import { hung } from "../core/wrap.ts"
import type { Io, Terminal } from "../io.ts"
import { follow } from "./following.ts"
import type { Followed, Happening } from "./following.ts"
import { Region } from "./region.ts"

export interface WatchLook {
  /** How many items of the past are shown. */
  readonly last: number
  readonly reasoning: boolean
}

const FRAME_MS = 100

/** An agent's timeline, drawn on a terminal as it grows, until Ctrl-C or until the agent is stopped. */
export async function watchTerminal(
  client: Client,
  url: EntityUrl,
  look: WatchLook,
  terminal: Terminal,
  io: Io,
): Promise<void> {
  const region = new Region(terminal.output)
  const glyphs = glyphsFor(io.env)
  let now: Followed | undefined
  let scrolled: Scrolled = NOTHING_SCROLLED
  const view = (): View => ({
    columns: region.columns,
    color: io.color,
    glyphs,
    url,
    nowMs: io.now(),
    reasoning: look.reasoning,
    answering: false,
  })
  const draw = (notices: readonly string[] = [], before: readonly string[] = []): void => {
    if (now === undefined) return
    const { out, live: drawn, scrolled: next } = scroll(scrolled, now.timeline, view())
    // What follows a notice stands apart from it.
    scrolled = notices.length === 0 ? next : { ...next, tight: false }
    const live = notices.length === 0 ? drawn : scroll(scrolled, now.timeline, view()).live
    region.draw([...before, ...out, ...notices], [...live, "", statusLine(now.timeline, view(), now.lost)])
  }
  const tell = (followed: Followed, what: Happening): void => {
    const begins = now === undefined
    now = followed
    if (!begins) return draw(noticesOf(followed, what, view()))
    const [start, left] = skipped(followed.timeline, look.last)
    scrolled = start
    draw([], left === 0 ? [] : [io.color.dim(`${glyphs.more} ${left} earlier, which --last shows`)])
  }
  const again = (): void => draw()
  const timer = setInterval(() => {
    if (now && (now.lost !== undefined || statusOf(now.timeline).busy)) draw()
  }, FRAME_MS)
  terminal.output.on("resize", again)
  try {
    await follow(client, url, io.stop, tell)
  } finally {
    clearInterval(timer)
    terminal.output.off("resize", again)
    region.close(
      now === undefined ? [] : [...scroll(scrolled, now.timeline, view()).live, "", statusLine(now.timeline, view())],
    )
  }
}

/** What is said of a connection that went and came back, in the order of the timeline. */
export function noticesOf({ lost, offset }: Followed, what: Happening, view: View): readonly string[] {
  const { color, glyphs, columns } = view
  const notice = (text: string, paint: (line: string) => string): readonly string[] => [
    "",
    ...hung(text, columns, `${glyphs.note} `, "  ").map((line) => paint(line)),
  ]
  if (what === "changed") return []
  if (what === "lost") return notice(lost ?? "connection lost", color.yellow)
  return notice(`connected again, at offset ${offset ?? "-1"}: nothing was missed`, color.green)
}
