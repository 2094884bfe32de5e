import { statusOf, usageOf } from "@rouse/client"
import type { Timeline } from "@rouse/client"
import { pulse } from "./item-blocks.ts"
import { lengthBetween, lengthText } from "./length.ts"
import { plainLine } from "./plain.ts"
import { usageText } from "./spend.ts"
import type { View } from "./view.ts"
import { cut, widthOf } from "./wrap.ts"

/** What the entity does, for how long, with which model, and what it has used: one line, its last facts left out where there is no room. */
export function statusLine(timeline: Timeline, view: View, connection?: string): string {
  const { color, glyphs, columns, nowMs } = view
  const activity = statusOf(timeline)
  const busy = activity.busy || connection !== undefined
  const label = cut(plainLine(connection ?? activity.label), columns - 2, glyphs.more)
  const facts = connection === undefined ? factsOf(timeline, view, activity.busy ? nowMs : undefined) : []
  const shown = facts.reduce(
    (line, fact) => (widthOf(line) + widthOf(fact) + 5 <= columns ? `${line} ${glyphs.dot} ${fact}` : line),
    "",
  )
  const room = columns - 2 - widthOf(label)
  const said = connection === undefined ? (busy ? color.cyan(label) : label) : color.yellow(label)
  return `${pulse(busy, view)} ${said}${widthOf(shown) <= room ? color.dim(shown) : ""}`
}

function factsOf(timeline: Timeline, { url, glyphs }: View, busyAtMs: number | undefined): readonly string[] {
  const took = busyAtMs === undefined ? undefined : lengthBetween(timeline.run?.startedAt, undefined, busyAtMs)
  const usage = usageOf(timeline)
  const waiting = timeline.pending.length
  return [
    ...(took === undefined ? [] : [lengthText(took)]),
    ...(usage.inputTokens + usage.outputTokens === 0 ? [] : [usageText(usage, glyphs)]),
    ...(waiting < 2 ? [] : [`${waiting} waiting`]),
    ...modelOf(timeline),
    url,
  ]
}

function modelOf(timeline: Timeline): readonly string[] {
  const step = timeline.items.findLast((item) => item.kind === "step" && item.row !== undefined)
  return step?.kind === "step" && step.row ? [plainLine(step.row.model)] : []
}
