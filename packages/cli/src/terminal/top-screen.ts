import type { Client } from "@rouse/client"
import { glyphsFor } from "../core/look.ts"
import { topLines } from "../core/top-lines.ts"
import { stepTop, topRows } from "../core/top.ts"
import type { Top, TopRow } from "../core/top.ts"
import type { Io, TerminalInput, TerminalOutput } from "../io.ts"
import { ActiveList, queriesOf } from "./active-list.ts"
import { listen } from "./keys.ts"
import { RunFactsOf } from "./run-facts.ts"

const ENTER_SCREEN = "\u001b[?1049h\u001b[?25l"
const LEAVE_SCREEN = "\u001b[?25h\u001b[?1049l"
/** Both: what is between them appears at once, where the terminal knows them. */
const BEGIN = "\u001b[?2026h\u001b[H"
const END = "\u001b[J\u001b[?2026l"
const ERASE_LINE_END = "\u001b[K"
const FRAME_MS = 100
/** How often what only grows older is drawn. */
const AGES_MS = 1_000
const COLUMNS_UNKNOWN = 80
const ROWS_UNKNOWN = 24

export interface TopSides {
  readonly client: Client
  readonly type: string | undefined
  readonly input: TerminalInput
  readonly output: TerminalOutput
  readonly io: Io
}

/** The table of what runs on the whole screen, until `q` or Ctrl-C. */
export async function topScreen(sides: TopSides, begin: Top): Promise<void> {
  const { client, type, input, output, io } = sides
  const quit = new AbortController()
  const signal = AbortSignal.any([io.stop, quit.signal])
  const list = new ActiveList()
  const facts = new RunFactsOf(client, signal, io.now)
  const glyphs = glyphsFor(io.env)
  let top = begin
  let isNew = true
  let drawnAtMs = 0
  let relist = new AbortController()
  const told = (): void => {
    isNew = true
  }
  const rows = (): readonly TopRow[] =>
    list.entities.map((entity) => {
      const run = facts.get(entity.url)
      return run === undefined ? { entity } : { entity, run }
    })
  const draw = (): void => {
    const page = {
      columns: (output.columns || COLUMNS_UNKNOWN) - 1,
      rows: output.rows || ROWS_UNKNOWN,
      color: io.color,
      glyphs,
      nowMs: io.now(),
      server: client.url,
    }
    const { lost } = list
    const lines = topLines(rows(), top, lost === undefined ? page : { ...page, lost })
    output.write(
      `${BEGIN}${lines
        .slice(0, page.rows)
        .map((line) => line + ERASE_LINE_END)
        .join("\n")}${END}`,
    )
    const sorted = topRows(rows(), top)
    // To sort by age, all ages must be known.
    const wanted = top.sort === "age" ? sorted : sorted.slice(top.above, top.above + page.rows)
    facts.ask(
      wanted.map(({ entity }) => entity),
      told,
    )
    isNew = false
    drawnAtMs = page.nowMs
  }
  const deaf = listen(input, output, (key) => {
    const next = stepTop(top, key, topRows(rows(), top).length)
    if (next === "quit") return quit.abort()
    if (next.all !== top.all) relist.abort()
    top = next
    draw()
  })
  const timer = setInterval(() => {
    if (isNew || io.now() - drawnAtMs >= AGES_MS) draw()
  }, FRAME_MS)
  output.on("resize", draw)
  output.write(ENTER_SCREEN)
  try {
    while (!signal.aborted) {
      relist = new AbortController()
      await list.follow(client, queriesOf(type, top.all), AbortSignal.any([signal, relist.signal]), told)
    }
  } finally {
    quit.abort()
    clearInterval(timer)
    output.off("resize", draw)
    deaf()
    output.write(LEAVE_SCREEN)
  }
}
