import type { EntityStatus } from "@rouse/protocol"
import { countText, lengthBetween, lengthText } from "./length.ts"
import { plainLine } from "./plain.ts"
import { usdText } from "./spend.ts"
import { paintStatus } from "./status-color.ts"
import { tokensOf, topRows, usdOf } from "./top.ts"
import type { Sort, Top, TopRow } from "./top.ts"
import type { Page } from "./markdown.ts"
import { cut, padded, widthOf } from "./wrap.ts"

interface Column {
  readonly title: string
  readonly sort?: Sort
  readonly width: number
  readonly right?: boolean
  readonly cell: (row: TopRow, nowMs: number) => string
}

const AGENT_MIN = 16
const GAP = 2

/** The columns after the agent's, those that give way first last. */
const COLUMNS: readonly Column[] = [
  { title: "STATUS", sort: "status", width: 9, cell: ({ entity }) => entity.status },
  {
    title: "SPEND",
    sort: "spend",
    width: 9,
    right: true,
    cell: (row) => (row.entity.usage ? usdText(usdOf(row)) : ""),
  },
  { title: "AGE", sort: "age", width: 7, right: true, cell: ageOf },
  {
    title: "TOKENS",
    sort: "tokens",
    width: 7,
    right: true,
    cell: (row) => (row.entity.usage ? countText(tokensOf(row)) : ""),
  },
  { title: "MODEL", width: 20, cell: ({ run }) => run?.model ?? "" },
  {
    title: "PENDING",
    sort: "pending",
    width: 8,
    right: true,
    cell: ({ entity }) => (entity.pending === 0 ? "" : String(entity.pending)),
  },
  {
    title: "ATTEMPT",
    sort: "attempts",
    width: 8,
    right: true,
    cell: ({ entity }) => (entity.attempt === undefined ? "" : String(entity.attempt)),
  },
]

/** Where columns stand: as they are read, not as they give way. */
const PLACES = ["STATUS", "AGE", "MODEL", "TOKENS", "SPEND", "PENDING", "ATTEMPT"]

export interface TopPage extends Page {
  /** Lines there are; Infinity where nothing is cut. */
  readonly rows: number
  readonly nowMs: number
  /** The server. */
  readonly server: string
  /** What there is to say of the connection. */
  readonly lost?: string
}

/** The whole screen: what there is in sum, the table, and what the keys do. */
export function topLines(rows: readonly TopRow[], top: Top, page: TopPage): readonly string[] {
  const { color, columns, glyphs } = page
  const shown = topRows(rows, top)
  const room = Math.max(1, page.rows - 4)
  const above = Math.min(top.above, Math.max(0, shown.length - room))
  const window = shown.slice(above, above + room)
  const keys = top.typing ? `filter: ${top.filter}_` : "q quit, s sort, r reverse, / filter, a all or active"
  const more = shown.length - window.length
  return [
    summaryLine(rows, shown, top, page),
    page.lost === undefined ? "" : color.yellow(cut(plainLine(page.lost), columns, glyphs.more)),
    ...tableOf(window, top, page),
    ...(window.length === 0 ? [color.dim(top.filter === "" ? "nothing runs" : "nothing matches")] : []),
    ...(Number.isFinite(page.rows)
      ? Array.from({ length: Math.max(0, room - Math.max(1, window.length)) }, () => "")
      : []),
    color.dim(
      cut(
        more > 0 ? `${above + 1} to ${above + window.length} of ${shown.length} ${glyphs.dot} ${keys}` : keys,
        columns,
        glyphs.more,
      ),
    ),
  ]
}

/** The titles and the rows, each line as wide as there is room. */
export function tableOf(
  rows: readonly TopRow[],
  top: Top,
  page: Pick<TopPage, "columns" | "color" | "glyphs" | "nowMs">,
): readonly string[] {
  const { color, glyphs, nowMs } = page
  const columns = fitting(page.columns)
  const used = columns.reduce((sum, { width }) => sum + width + GAP, 0)
  const wanted = Math.max(AGENT_MIN, ...rows.map(({ entity }) => widthOf(entity.url)))
  const agent = Math.min(wanted, page.columns - used)
  const arrow = top.reversed ? glyphs.up : glyphs.down
  const title = (name: string, sort: Sort | undefined): string => (sort === top.sort ? `${name}${arrow}` : name)
  const line = (first: string, cells: readonly string[], paint: (cell: string, at: number) => string): string =>
    [
      paint(padded(cut(first, agent, glyphs.more), agent), -1),
      ...columns.map(({ width, right }, at) =>
        paint(padded(cut(cells[at] ?? "", width, glyphs.more), width, right === true ? "right" : "left"), at),
      ),
    ]
      .join(" ".repeat(GAP))
      .trimEnd()
  const head = line(
    title("AGENT", "agent"),
    columns.map((column) => title(column.title, column.sort)),
    (cell) => color.dim(cell),
  )
  return [
    head,
    ...rows.map((row) =>
      line(
        plainLine(row.entity.url),
        columns.map((column) => plainLine(column.cell(row, nowMs))),
        (cell, at) =>
          at === -1
            ? color.bold(cell)
            : columns[at]?.title === "STATUS"
              ? paintStatus(row.entity.status, color, cell)
              : cell,
      ),
    ),
  ]
}

function fitting(room: number): readonly Column[] {
  let left = room - AGENT_MIN
  const taken = COLUMNS.filter(({ width }) => {
    left -= width + GAP
    return left >= 0
  })
  return taken.toSorted((a, b) => PLACES.indexOf(a.title) - PLACES.indexOf(b.title))
}

function summaryLine(rows: readonly TopRow[], shown: readonly TopRow[], top: Top, page: TopPage): string {
  const { color, glyphs, columns } = page
  const count = (status: EntityStatus): number => rows.filter(({ entity }) => entity.status === status).length
  const usd = shown.reduce((sum, row) => sum + usdOf(row), 0)
  const facts = [
    `${count("running")} running, ${count("queued")} queued, ${count("suspended")} suspended`,
    usdText(usd),
    ...(top.filter === "" ? [] : [`filter ${plainLine(top.filter)}`]),
    ...(top.all ? ["all"] : []),
    page.server,
  ].join(` ${glyphs.dot} `)
  return color.bold(cut(`rouse top ${glyphs.dot} ${facts}`, columns, glyphs.more))
}

function ageOf({ run }: TopRow, nowMs: number): string {
  const ms = lengthBetween(run?.startedAt, undefined, nowMs)
  return ms === undefined ? "" : lengthText(ms)
}
