import type { ChangeEvent, EntitySummary, Offset } from "@rouse/protocol"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { applyListChanges, byActivity, changeIndex, heldOrder, matchesText } from "../src/core/agents-list.ts"
import { argsOf, fieldsOf, parseArgs } from "../src/core/args-form.ts"
import { sentenceOf } from "../src/core/errors.ts"
import { summaryOf } from "../src/core/event-summary.ts"
import { argumentLine, previewOf, readable } from "../src/core/json.ts"
import { LOG_ENTRIES_MAX, appendEntries, collectionsOf, entriesAsText } from "../src/core/log-entries.ts"
import { compact, counted } from "../src/core/number.ts"
import { safeUrl } from "../src/core/safe-url.ts"
import { between, duration, elapsed, relativeTime } from "../src/core/time.ts"

const NOW = Date.parse("2026-11-23T12:00:00Z")

describe("times", () => {
  test("how long ago fits a column", () => {
    const ages = [0, 4_999, 12_000, 240_000, 3 * 3_600_000, 6 * 86_400_000]
    expect(ages.map((age) => relativeTime(NOW - age, NOW))).toEqual(["now", "now", "12s", "4m", "3h", "6d"])
    expect(relativeTime(Date.parse("2026-10-01T12:00:00Z"), NOW)).toBe("1 Oct")
    expect(relativeTime(Date.parse("2024-10-01T12:00:00Z"), NOW)).toBe("1 Oct 24")
    expect(relativeTime(Number.NaN, NOW)).toBe("")
  })

  test("a clock that is behind the server's shows no time in the future", () => {
    expect(relativeTime(NOW + 60_000, NOW)).toBe("now")
    expect(elapsed(-5_000)).toBe("0 s")
  })

  test("lengths", () => {
    expect([0.4, 85, 1_234, 12_900, 125_000, 3_725_000].map(duration)).toEqual([
      "0 ms",
      "85 ms",
      "1.2 s",
      "12 s",
      "2 m 05 s",
      "1 h 02 m",
    ])
    expect(elapsed(3_900)).toBe("3 s")
    expect(between("2026-11-23T12:00:00Z", "2026-11-23T12:00:01Z")).toBe(1_000)
    expect(between("2026-11-23T12:00:00Z", undefined)).toBeUndefined()
    expect(between("yesterday", "today")).toBeUndefined()
  })

  test("no length and no age is ever empty for a time that is one", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10 ** 12 }),
        (age) => relativeTime(NOW - age, NOW) !== "" && duration(age) !== "",
      ),
    )
  })
})

describe("numbers", () => {
  test("counts in a small space", () => {
    expect([0, 940, 1_234, 9_960, 56_400, 999_700, 3_400_000].map(compact)).toEqual([
      "0",
      "940",
      "1.2k",
      "10k",
      "56k",
      "1.0M",
      "3.4M",
    ])
    expect(counted(1, "step")).toBe("1 step")
    expect(counted(12_345, "step")).toBe("12,345 steps")
  })
})

describe("JSON in a line", () => {
  test("text stays text, and a lone text field is read out of its object", () => {
    expect(readable("hi")).toEqual({ text: "hi" })
    expect(readable({ text: "hi" })).toEqual({ text: "hi" })
    expect(readable({ text: "hi", more: 1 })).toEqual({ json: { text: "hi", more: 1 } })
    expect(readable({ secret: "hi" })).toEqual({ json: { secret: "hi" } })
    expect([readable(null), readable(undefined), readable("")]).toEqual([undefined, undefined, undefined])
    expect(readable(0)).toEqual({ json: 0 })
  })

  test("a preview is one line and no longer than asked", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 2, max: 80 }), (value, max) => {
        const preview = previewOf(value, max)
        return preview.length <= max && !preview.includes("\n")
      }),
    )
  })

  test("the arguments of a call", () => {
    expect(argumentLine({ order: "20417", cents: 100 }, 80)).toBe("order: 20417, cents: 100")
    expect(argumentLine(["a"], 80)).toBe('["a"]')
  })

  test("an event of a known collection says what matters, another's says all", () => {
    const event = (type: string, value: ChangeEvent["value"]): ChangeEvent => ({
      type,
      key: "k",
      ...(value !== undefined && { value }),
      headers: { operation: "insert" },
    })
    expect(summaryOf(event("delta", { run: "r", step: "s", at: 0, text: "so it" }), 80)).toBe("so it")
    expect(summaryOf(event("run", { id: "r1", status: "failed", error: { code: "MODEL_FAILED" } }), 80)).toBe(
      'failed {"code":"MODEL_FAILED"}',
    )
    expect(summaryOf(event("notes", { text: "n" }), 80)).toBe('{"text":"n"}')
    expect(summaryOf(event("tag", undefined), 80)).toBe("")
  })
})

describe("links from an agent", () => {
  test("lead to the web or to mail, and nowhere else", () => {
    expect(safeUrl("https://example.com/a?b#c")).toBe("https://example.com/a?b#c")
    expect(safeUrl("mailto:a@b.example")).toBe("mailto:a@b.example")
    const dead = [
      "javascript:alert(1)",
      " JaVaScRiPt:alert(1)",
      "java\nscript:alert(1)",
      "data:text/html,x",
      "file:///etc/passwd",
      "vbscript:x",
      "/relative",
      "#x",
      "",
    ]
    expect(dead.map(safeUrl)).toEqual(dead.map(() => undefined))
    expect(safeUrl(undefined)).toBeUndefined()
  })
})

describe("the list", () => {
  const agent = (id: string, activeAt: string, more: Partial<EntitySummary> = {}): EntitySummary => ({
    url: `/worker/${id}`,
    type: "worker",
    id,
    status: "idle",
    args: {},
    tags: {},
    parent: null,
    createdAt: activeAt,
    activeAt,
    pending: 0,
    stream: `entities/worker/${id}`,
    ...more,
  })
  const [a, b, c] = [agent("a", "2026-01-01"), agent("b", "2026-01-03"), agent("c", "2026-01-02")]
  const page = applyListChanges(new Map(), [{ kind: "page", entities: [a, b] }])

  test("newest activity first, equal times by address", () => {
    expect(byActivity([a, c, b]).map(({ id }) => id)).toEqual(["b", "c", "a"])
    expect(byActivity([agent("z", "2026-01-01"), a]).map(({ id }) => id)).toEqual(["a", "z"])
  })

  test("a page starts over, more adds, an entity replaces, gone removes", () => {
    const more = applyListChanges(page, [{ kind: "more", entities: [c, agent("a", "2020-01-01")] }])
    expect([...more.keys()]).toEqual(["/worker/a", "/worker/b", "/worker/c"])
    expect(more.get("/worker/a")).toBe(a)
    const next = applyListChanges(more, [
      { kind: "entity", entity: agent("a", "2026-02-01") },
      { kind: "gone", url: b.url },
    ])
    expect(byActivity(next.values()).map(({ id }) => id)).toEqual(["a", "c"])
    expect([...applyListChanges(next, [{ kind: "page", entities: [c] }]).keys()]).toEqual(["/worker/c"])
    expect(applyListChanges(page, [])).toBe(page)
  })

  test("merging changes is the same as sorting all anew", () => {
    const agents = fc.array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 9 })), {
      maxLength: 20,
    })
    fc.assert(
      fc.property(agents, fc.array(agents, { maxLength: 5 }), fc.integer({ min: 0, max: 12 }), (first, rest, gone) => {
        const of = (pairs: readonly (readonly [number, number])[]) =>
          pairs.map(([id, day]) => agent(`x${id}`, `2026-01-0${day}`))
        let index = changeIndex({ byUrl: new Map(), sorted: [] }, [{ kind: "page", entities: of(first) }])
        for (const some of rest) {
          index = changeIndex(index, [
            { kind: "more", entities: of(some) },
            ...of(some).map((entity) => ({ kind: "entity", entity }) as const),
            { kind: "gone", url: `/worker/x${gone}` },
          ])
          expect(index.sorted).toEqual(byActivity(index.byUrl.values()))
        }
      }),
    )
  })

  test("what the pointer is on stays where it is; what is new comes on top", () => {
    const seen = ["/worker/a", "/worker/b"]
    expect(heldOrder([b, c, a], seen, true).map(({ id }) => id)).toEqual(["c", "a", "b"])
    expect(heldOrder([b, c, a], seen, false).map(({ id }) => id)).toEqual(["b", "c", "a"])
  })

  test("every word is looked for in the address, the tags and the arguments", () => {
    const found = agent("order-7", "2026-01-01", { tags: { tier: "gold" }, args: { customer: "Ann" } })
    expect(["", "order", "GOLD ann", "tier=gold", "worker/ord"].map((text) => matchesText(found, text))).toEqual([
      true,
      true,
      true,
      true,
      true,
    ])
    expect(matchesText(found, "gold silver")).toBe(false)
  })
})

describe("the form of a type's arguments", () => {
  const schema = {
    type: "object",
    properties: {
      topic: { type: "string", description: "What about" },
      rounds: { type: "integer", default: 2 },
      tone: { enum: ["formal", "friendly"] },
      loud: { type: "boolean" },
    },
    required: ["topic", "rounds"],
  } as const

  test("is made of simple properties", () => {
    expect(fieldsOf(schema)?.map(({ name, kind, required, initial }) => [name, kind, required, initial])).toEqual([
      ["topic", "text", true, ""],
      ["rounds", "number", false, "2"],
      ["tone", "choice", false, ""],
      ["loud", "boolean", false, "false"],
    ])
    expect(fieldsOf({ type: "object" })).toEqual([])
  })

  test("is not made where a simple form would lie", () => {
    expect(fieldsOf(undefined)).toBeUndefined()
    expect(fieldsOf({ anyOf: [] })).toBeUndefined()
    expect(fieldsOf({ type: "object", properties: { deep: { type: "object" } } })).toBeUndefined()
    expect(fieldsOf({ type: "object", properties: { list: { type: "array" } } })).toBeUndefined()
  })

  test("gives the arguments, or names what is wrong", () => {
    const fields = fieldsOf(schema)!
    expect(argsOf(fields, { topic: " ships ", rounds: "3" })).toEqual({
      args: { topic: "ships", rounds: 3, loud: false },
    })
    expect(argsOf(fields, { rounds: "many" })).toEqual({
      errors: { topic: "topic is required", rounds: "rounds must be a number" },
    })
  })

  test("free JSON must be an object", () => {
    expect(parseArgs("")).toEqual({ args: {} })
    expect(parseArgs('{"a":1}')).toEqual({ args: { a: 1 } })
    expect(parseArgs("[1]")).toEqual({ error: "The arguments must be a JSON object" })
    expect(parseArgs("{a")).toHaveProperty("error")
  })
})

describe("the entries of the log", () => {
  const event = (type: string): ChangeEvent => ({ type, key: "k", value: 1, headers: { operation: "insert" } })
  const at = (offset: string): Offset => offset as Offset

  test("are numbered through, and keep the offset of the read that brought them", () => {
    const one = appendEntries([], [event("run"), event("step")], at("1"))
    const two = appendEntries(one, [event("run")], at("2"))
    expect(two.map(({ n, offset }) => [n, offset])).toEqual([
      [1, "1"],
      [2, "1"],
      [3, "2"],
    ])
    expect(appendEntries(two, [], at("3"))).toBe(two)
    expect(collectionsOf(two)).toEqual([
      { name: "run", count: 2 },
      { name: "step", count: 1 },
    ])
    expect(
      entriesAsText(two)
        .split("\n")
        .map((line) => JSON.parse(line).type),
    ).toEqual(["run", "step", "run"])
  })

  test("are bounded: the oldest go, and the numbers go on", () => {
    const many = Array.from({ length: LOG_ENTRIES_MAX }, () => event("delta"))
    const full = appendEntries([], many, at("1"))
    const over = appendEntries(full, [event("text")], at("2"))
    expect(full).toHaveLength(LOG_ENTRIES_MAX)
    expect(over.length).toBeLessThan(LOG_ENTRIES_MAX)
    expect(over.at(-1)).toMatchObject({ n: LOG_ENTRIES_MAX + 1 })
  })
})

describe("errors", () => {
  test("are one sentence", () => {
    expect(sentenceOf(new Error("args.topic: is missing"))).toBe("Args.topic: is missing.")
    expect(sentenceOf(new TypeError("Failed to fetch"))).toBe("The server cannot be reached.")
    expect(sentenceOf("what")).toMatch(/nothing more is known/)
  })
})
