import type { EntityStatus, EntitySummary } from "@rouse/protocol"
import type { Key } from "./key.ts"

/** One agent of the table. What its run is, is known a little later. */
export interface TopRow {
  readonly entity: EntitySummary
  readonly run?: RunFacts
}

export interface RunFacts {
  /** When the run under way began: ISO 8601. Undefined when none is. */
  readonly startedAt: string | undefined
  /** The model that most was spent on. */
  readonly model: string | undefined
}

export const SORTS = ["spend", "tokens", "age", "status", "agent", "pending", "attempts"] as const
export type Sort = (typeof SORTS)[number]

/** How the table is looked at. */
export interface Top {
  readonly sort: Sort
  readonly reversed: boolean
  readonly filter: string
  /** Keys go to the filter. */
  readonly typing: boolean
  /** Idle agents and those that are over, too. */
  readonly all: boolean
  /** Rows above the window. */
  readonly above: number
}

const FILTER_CHARACTERS_MAX = 100
const PAGE_ROWS = 10

/** Statuses of what runs, or will. */
export const ACTIVE: readonly EntityStatus[] = ["running", "queued", "suspended"]

const RANK: Readonly<Record<EntityStatus, number>> = {
  running: 0,
  queued: 1,
  suspended: 2,
  paused: 3,
  dead: 4,
  idle: 5,
  stopped: 6,
}

export function topOf(sort: Sort, all: boolean, filter: string): Top {
  return { sort, reversed: false, filter, typing: false, all, above: 0 }
}

/** What a key does; `quit` ends it. @param count Rows that match. */
export function stepTop(top: Top, key: Key, count: number): Top | "quit" {
  if (key.ctrl) return key.name === "c" ? "quit" : top
  if (top.typing) return filtered(top, key)
  const scrolled = (by: number): Top => ({ ...top, above: Math.max(0, Math.min(count - 1, top.above + by)) })
  switch (key.name) {
    case "q":
      return "quit"
    case "s":
      return { ...top, sort: SORTS[(SORTS.indexOf(top.sort) + 1) % SORTS.length] ?? "spend" }
    case "r":
      return { ...top, reversed: !top.reversed }
    case "a":
      return { ...top, all: !top.all, above: 0 }
    case "/":
      return { ...top, typing: true }
    case "escape":
      return { ...top, filter: "", above: 0 }
    case "up":
    case "k":
      return scrolled(-1)
    case "down":
    case "j":
      return scrolled(1)
    case "pageup":
      return scrolled(-PAGE_ROWS)
    case "pagedown":
    case "space":
      return scrolled(PAGE_ROWS)
    case "home":
      return { ...top, above: 0 }
    default:
      return top
  }
}

function filtered(top: Top, key: Key): Top {
  switch (key.name) {
    case "return":
    case "enter":
      return { ...top, typing: false }
    case "escape":
      return { ...top, typing: false, filter: "", above: 0 }
    case "backspace":
      return { ...top, filter: top.filter.slice(0, -1), above: 0 }
    default:
      return {
        ...top,
        filter: (top.filter + key.text.replace(/\p{Cc}/gu, "")).slice(0, FILTER_CHARACTERS_MAX),
        above: 0,
      }
  }
}

/** The rows that match, sorted: what is most first, names and statuses in their order. */
export function topRows(rows: readonly TopRow[], { sort, reversed, filter, all }: Top): readonly TopRow[] {
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "")
  const shown = rows.filter((row) => (all || ACTIVE.includes(row.entity.status)) && matches(row, words))
  const sign = reversed ? -1 : 1
  return shown.toSorted((a, b) => sign * ORDER[sort](a, b) || ORDER.agent(a, b))
}

/** Every word is in its address, status, model or tags. */
function matches({ entity, run }: TopRow, words: readonly string[]): boolean {
  const tags = Object.entries(entity.tags).map(([name, value]) => `${name}=${value}`)
  const text = [entity.url, entity.status, run?.model ?? "", ...tags].join(" ").toLowerCase()
  return words.every((word) => text.includes(word))
}

const ORDER: Readonly<Record<Sort, (a: TopRow, b: TopRow) => number>> = {
  spend: (a, b) => usdOf(b) - usdOf(a),
  tokens: (a, b) => tokensOf(b) - tokensOf(a),
  age: (a, b) => startOf(a) - startOf(b),
  status: (a, b) => RANK[a.entity.status] - RANK[b.entity.status],
  agent: (a, b) => (a.entity.url < b.entity.url ? -1 : a.entity.url > b.entity.url ? 1 : 0),
  pending: (a, b) => b.entity.pending - a.entity.pending,
  attempts: (a, b) => (b.entity.attempt ?? 0) - (a.entity.attempt ?? 0),
}

/** What an agent's own model calls cost, US dollars. */
export function usdOf({ entity }: TopRow): number {
  return entity.usage?.usd ?? 0
}

export function tokensOf({ entity }: TopRow): number {
  return (entity.usage?.inputTokens ?? 0) + (entity.usage?.outputTokens ?? 0)
}

/** What has no run comes last. A number that is no number would sort nothing. */
function startOf({ run }: TopRow): number {
  return run?.startedAt === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(run.startedAt)
}
