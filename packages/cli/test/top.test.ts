import type { EntityStatus, EntitySummary } from "@rouse/protocol"
import picocolors from "picocolors"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { top } from "../src/commands/top.ts"
import type { Key } from "../src/core/key.ts"
import { UNICODE } from "../src/core/look.ts"
import { topLines } from "../src/core/top-lines.ts"
import { SORTS, stepTop, topOf, topRows } from "../src/core/top.ts"
import type { Top, TopRow } from "../src/core/top.ts"
import { widthOf } from "../src/core/wrap.ts"
import { WITH_IMPORTS, directory, served } from "./harness.ts"
import type { Served } from "./harness.ts"
import { Screen, sitting } from "./screen.ts"

const NOW_MS = Date.parse("2026-11-23T12:10:00.000Z")

function row(
  url: string,
  status: EntityStatus,
  usd: number,
  more: Partial<EntitySummary> = {},
  startedAt?: string,
): TopRow {
  const [, type = "", id = ""] = url.split("/")
  const usage = {
    calls: 1,
    inputTokens: usd * 1_000,
    outputTokens: 10,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    usd,
    unpriced: 0,
  }
  const entity = {
    url,
    type,
    id,
    status,
    args: {},
    tags: {},
    parent: null,
    createdAt: "",
    activeAt: "",
    pending: 0,
    stream: "",
    usage,
    ...more,
  }
  return { entity, run: { startedAt, model: "anthropic/claude-sonnet-4-5" } }
}

const ROWS: readonly TopRow[] = [
  row("/support/ann", "running", 0.42, { pending: 2, attempt: 1, tags: { team: "red" } }, "2026-11-23T12:07:56.000Z"),
  row("/support/bob", "suspended", 2.5, {}, "2026-11-21T12:00:00.000Z"),
  row("/triage/x", "queued", 0.001, { attempt: 3 }),
  row("/triage/idle", "idle", 9),
]

const key = (name: string, more: Partial<Key> = {}): Key => ({
  name,
  text: name.length === 1 ? name : "",
  ctrl: false,
  meta: false,
  ...more,
})
const PAGE = { color: picocolors.createColors(false), glyphs: UNICODE, nowMs: NOW_MS, server: "http://h" }
const urls = (top: Top): readonly string[] => topRows(ROWS, top).map(({ entity }) => entity.url)

function press(top: Top, ...keys: readonly Key[]): Top {
  return keys.reduce<Top>((now, one) => {
    const next = stepTop(now, one, ROWS.length)
    return next === "quit" ? now : next
  }, top)
}

describe("a table of what runs", () => {
  test("what runs is shown, the dearest first; a shows all", () => {
    const top = topOf("spend", false, "")
    expect(urls(top)).toEqual(["/support/bob", "/support/ann", "/triage/x"])
    expect(urls(press(top, key("a")))).toEqual(["/triage/idle", "/support/bob", "/support/ann", "/triage/x"])
    expect(urls(press(top, key("r")))).toEqual(["/triage/x", "/support/ann", "/support/bob"])
  })

  test.each([
    ["age", "/support/bob"],
    ["status", "/support/ann"],
    ["agent", "/support/ann"],
    ["pending", "/support/ann"],
    ["attempts", "/triage/x"],
    ["tokens", "/support/bob"],
  ] as const)("by %s", (sort, first) => {
    expect(urls(topOf(sort, false, ""))[0]).toBe(first)
  })

  test("s goes through all columns", () => {
    let top = topOf("spend", false, "")
    const seen = SORTS.map(() => (top = press(top, key("s"))).sort)
    expect(new Set(seen)).toEqual(new Set(SORTS))
    expect(seen.at(-1)).toBe("spend")
  })

  test("a filter is typed, ended and taken away", () => {
    const typing = press(topOf("spend", false, ""), key("/"), key("q"), key("backspace"), key("r"), key("e"), key("d"))
    expect(typing).toMatchObject({ typing: true, filter: "red" })
    expect(urls(typing)).toEqual(["/support/ann"])
    expect(press(typing, key("return"))).toMatchObject({ typing: false, filter: "red" })
    expect(press(typing, key("escape"))).toMatchObject({ typing: false, filter: "" })
    expect(urls({ ...typing, filter: "SUSPENDED sonnet" })).toEqual(["/support/bob"])
  })

  test("q and Ctrl-C quit, but not a q that is typed", () => {
    const top = topOf("spend", false, "")
    expect(stepTop(top, key("q"), 1)).toBe("quit")
    expect(stepTop(press(top, key("/")), key("c", { ctrl: true }), 1)).toBe("quit")
  })

  test("shows what there is", () => {
    const lines = topLines(ROWS, topOf("spend", false, ""), { ...PAGE, columns: 110, rows: 10 })
    expect(`\n${lines.join("\n")}\n`).toMatchInlineSnapshot(`
      "
      rouse top · 1 running, 1 queued, 1 suspended · $2.92 · http://h

      AGENT             STATUS         AGE  MODEL                  TOKENS     SPEND↓   PENDING   ATTEMPT
      /support/bob      suspended    2d 0h  anthropic/claude-so…     2.5k      $2.50
      /support/ann      running      2m 4s  anthropic/claude-so…      430      $0.42         2         1
      /triage/x         queued              anthropic/claude-so…       11    $0.0010                   3



      q quit, s sort, r reverse, / filter, a all or active
      "
    `)
  })

  test("never more than there is room for, whatever the terminal", () => {
    const many = Array.from({ length: 50 }, (_, at) => row(`/support/\u001b[2J${"long".repeat(at)}`, "running", at))
    for (const columns of [20, 40, 60, 80, 200])
      for (const rows of [5, 12, 60]) {
        const lines = topLines(
          many,
          { ...topOf("agent", false, ""), above: 45 },
          { ...PAGE, columns, rows, lost: "it\u001b[2J is gone" },
        )
        expect(lines).toHaveLength(rows)
        for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(Math.max(columns, 27))
        expect(lines.join("")).not.toContain("\u001b")
      }
  })
})

describe("against a server", () => {
  let place: Awaited<ReturnType<typeof directory>>
  let server: Served

  beforeAll(async () => {
    place = await directory({ "a.ts": WITH_IMPORTS })
    server = await served(place.path, ["dev", "a.ts"])
    await server.rouse("send", "/assistant/asks", "/call wipe {}", "--no-wait")
    await server.rouse("send", "/assistant/done", "hello")
  })

  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  })

  test("printed once where nobody watches", async () => {
    const { out } = await server.rouse("top")
    expect(out).toMatch(
      /^AGENT +STATUS +AGE +MODEL +TOKENS +SPEND↓[^\n]*\n\/assistant\/asks +suspended +\S+m?s +rouse\/echo[^\n]*\n$/,
    )
    const lines = (await server.rouse("top", "--json", "--all")).out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object)
    expect(lines).toContainEqual(
      expect.objectContaining({ url: "/assistant/done", status: "idle", startedAt: null, model: "rouse/echo" }),
    )
    expect((await server.rouse("top", "--filter", "nothing-has-this")).out).toBe("nothing runs\n")
  })

  test("live on a terminal: what begins appears, keys work, and quitting leaves the screen", async () => {
    const { io, screen, keyboard } = sitting(server.url, new Screen(110, 12))
    const watching = top({ sort: "spend" }, io)
    await screen.until(/1 suspended[^]*\/assistant\/asks +suspended +\S+ +rouse\/echo/)
    await server.rouse("send", "/assistant/later", "/call wipe {}", "--no-wait")
    await screen.until(/2 suspended[^]*\/assistant\/later +suspended/)
    keyboard.write("/later\r")
    const [filtered] = await screen.until(/filter later[^]*$/)
    expect(filtered).not.toContain("/assistant/asks ")
    keyboard.write("\u001b[B")
    screen.resize(40, 8)
    await screen.until(/AGENT +STATUS +SPEND↓\n/)
    keyboard.write("a")
    await screen.until(/\/assistant\/later/)
    keyboard.write("q")
    expect(await watching).toBe(0)
    expect(keyboard.raw).toBe(false)
    expect(screen.written.endsWith("\u001b[?25h\u001b[?1049l")).toBe(true)
  })
})
