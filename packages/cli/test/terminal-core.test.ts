import { applyChanges, emptyTimeline } from "@rouse/client"
import type { ChangeEvent, Json } from "@rouse/protocol"
import fc from "fast-check"
import picocolors from "picocolors"
import { describe, expect, test } from "vitest"
import { ASCII, glyphsFor, UNICODE } from "../src/core/look.ts"
import { markdownLines } from "../src/core/markdown.ts"
import { plain } from "../src/core/plain.ts"
import { NOTHING_SCROLLED, scroll, skipped } from "../src/core/scroll.ts"
import { statusLine } from "../src/core/status-line.ts"
import type { View } from "../src/core/view.ts"
import { widthOf } from "../src/core/wrap.ts"

const AT = "2026-11-23T12:00:00.000Z"
const AT_MS = Date.parse(AT)
const RUN = "r000001"
const STEP = "r000001-s0001"

const VIEW: View = {
  columns: 60,
  color: picocolors.createColors(false),
  glyphs: UNICODE,
  url: "/assistant/one",
  nowMs: AT_MS + 2_500,
  reasoning: false,
  answering: false,
}

function put(type: string, key: string, value: Json, operation: "insert" | "update" = "insert"): ChangeEvent {
  return { type, key, value, headers: { operation } }
}

const message = (status = "taken", content: Json = "hi"): ChangeEvent =>
  put("message", "m1", {
    id: "m1",
    kind: "message",
    from: { kind: "user", id: "ann" },
    content,
    mode: "steer",
    at: AT,
    status,
    run: RUN,
  })
const run = (more: { readonly [key: string]: Json } = {}): ChangeEvent =>
  put("run", RUN, { id: RUN, wake: "w1", status: "running", startedAt: AT, ...more })
const step = (status = "running", more: { readonly [key: string]: Json } = {}): ChangeEvent =>
  put("step", STEP, {
    id: STEP,
    run: RUN,
    index: 1,
    pass: 0,
    model: "rouse/echo",
    messages: ["m1"],
    status,
    startedAt: AT,
    ...more,
  })
const delta = (index: number, at: number, text: string, kind = "text"): ChangeEvent =>
  put("delta", `${STEP}-p00${index}`, { run: RUN, step: STEP, index, kind, at, text })
const text = (index: number, said: string, type = "text"): ChangeEvent =>
  put(type, `${STEP}-p00${index}`, { run: RUN, step: STEP, index, text: said })
const call = (status: string, more: { readonly [key: string]: Json } = {}): ChangeEvent =>
  put("tool_call", `${STEP}-p001`, {
    id: `${STEP}-p001`,
    run: RUN,
    step: STEP,
    index: 1,
    callId: "c1",
    name: "refund",
    input: { order: "A1", cents: 1200 },
    effect: "once",
    idempotencyKey: "k",
    status,
    attempts: 1,
    ...more,
  })

/** What a terminal has in the end, and what is still drawn below, when the events of each batch arrive together. */
function shown(
  batches: readonly (readonly ChangeEvent[])[],
  view: View = VIEW,
): { readonly out: string; readonly live: string } {
  let timeline = emptyTimeline()
  let scrolled = NOTHING_SCROLLED
  const out: string[] = []
  let live: readonly string[] = []
  for (const events of batches) {
    timeline = applyChanges(timeline, events)
    const drawing = scroll(scrolled, timeline, view)
    scrolled = drawing.scrolled
    out.push(...drawing.out)
    live = drawing.live
  }
  return { out: out.join("\n"), live: live.join("\n") }
}

const page = (columns: number): View => ({ ...VIEW, columns })

const DOCUMENT = `# Title

Some **bold**, *italic*, \`code\` & a [link](https://example.com/x) &amp; more words than fit on one line of it.

- one
- two
  - nested
1. first

- [x] done

> quoted

\`\`\`ts
const answer = 42
\`\`\`

| item | cents |
|------|------:|
| tea  |   250 |
`

describe("markdown on a terminal", () => {
  test("shows all kinds of blocks", () => {
    expect(`\n${markdownLines(DOCUMENT, page(60)).join("\n")}\n`).toMatchInlineSnapshot(`
      "
      Title

      Some bold, italic, code & a link (https://example.com/x) &
      more words than fit on one line of it.

      • one
      • two
        • nested

      1. first

      ☑ done

      │ quoted

      │ ts
      │ const answer = 42

      ┌──────┬───────┐
      │ item │ cents │
      ├──────┼───────┤
      │ tea  │   250 │
      └──────┴───────┘
      "
    `)
  })

  test("a table that has no room is told row by row", () => {
    const wide =
      "| name | note | more | last |\n|-|-|-|-|\n| a long name here | a long note here | and more of it | the last one |"
    const lines = markdownLines(wide, page(30))
    expect(lines[0]).toBe("name: a long name here")
    expect(lines.every((line) => widthOf(line) <= 30)).toBe(true)
  })

  test("nothing is wider than the page, whatever is written", () => {
    const words = fc.constantFrom(
      "# ",
      "- ",
      "1. ",
      "> ",
      "```",
      "|a|b|\n|-|-|\n|",
      "日本語",
      "😀",
      "word ",
      "x".repeat(50),
      "\n",
      "\n\n",
      "**",
      "`",
      "  ",
      "[a](b)",
    )
    fc.assert(
      fc.property(fc.array(words, { maxLength: 30 }), fc.integer({ min: 40, max: 100 }), (parts, columns) => {
        for (const line of markdownLines(parts.join(""), page(columns)))
          expect(widthOf(line)).toBeLessThanOrEqual(columns)
      }),
      { numRuns: 200 },
    )
  })
})

describe("what others write cannot drive the terminal", () => {
  const EVIL =
    "a\u001b[2J\u001b]0;owned\u0007\u001b]8;;http://evil\u001b\\b\u009b31mc\u0007\u0008\rd\u202ee &#27;[31m &#x1b;[0m \u001bc\u001b(0"

  test("plain leaves text alone and takes sequences out", () => {
    expect(plain("tea\tfor two\r\n👩‍👩‍👧 日本")).toBe("tea\tfor two\n👩‍👩‍👧 日本")
    expect(plain(EVIL)).toBe("abc\nde &#27;[31m &#x1b;[0m ")
  })

  const isSafe = (output: string): boolean => !/(?!\n)\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u.test(output)

  test.each([
    [
      "text",
      [
        message(),
        run(),
        step(),
        text(
          0,
          `# ${EVIL}\n\n\`\`\`${EVIL}\n${EVIL}\n\`\`\`\n\n[${EVIL}](http://a/${EVIL})\n\n|${EVIL}|\n|-|\n|${EVIL}|`,
        ),
      ],
    ],
    ["half a text", [message(), run(), step(), delta(0, 0, EVIL)]],
    ["reasoning", [message(), run(), step("done"), text(0, EVIL, "reasoning")]],
    [
      "a tool's name, input and output",
      [message(), run(), step("done"), call("done", { name: EVIL, input: { [EVIL]: EVIL }, output: { [EVIL]: EVIL } })],
    ],
    ["a tool's error", [message(), run(), step("done"), call("failed", { error: EVIL })]],
    ["a message", [message("processed", EVIL), run(), step("done")]],
    [
      "a model's failure",
      [message(), run(), step("failed", { model: EVIL, error: { code: "INTERNAL", message: EVIL } })],
    ],
    ["a run's failure", [message(), run({ status: "failed", error: { code: "INTERNAL", message: EVIL } })]],
    ["a reply", [message(), run({ status: "completed", reply: EVIL })]],
    [
      "a question",
      [
        message(),
        run(),
        step("done"),
        call("waiting"),
        put("approval", `${STEP}-p001`, {
          kind: "question",
          call: EVIL,
          tool: EVIL,
          input: {},
          at: AT,
          status: "waiting",
          question: EVIL,
          from: [EVIL],
        }),
      ],
    ],
    ["a signal", [put("signal", "s1", { name: "pause", from: { kind: "user", id: EVIL }, at: AT })]],
    ["an error", [put("error", "e1", { code: "INTERNAL", message: EVIL, at: AT, wake: "w1", attempt: 1 })]],
    [
      "a dead wake",
      [
        put("wake", "w1", {
          id: "w1",
          attempt: 1,
          epoch: 1,
          reasons: [],
          at: AT,
          endedAt: AT,
          outcome: "dead",
          error: EVIL,
        }),
      ],
    ],
  ] as const)("%s", (_, events) => {
    const all = shown([events])
    expect(isSafe(all.out + all.live)).toBe(true)
    expect(isSafe(statusLine(applyChanges(emptyTimeline(), events), VIEW, EVIL))).toBe(true)
    expect(isSafe(statusLine(applyChanges(emptyTimeline(), events), VIEW))).toBe(true)
  })

  test("any text at all", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(
            "\u001b",
            "[",
            "]",
            "2J",
            ";",
            "\u0007",
            "\u009b",
            "\u009d",
            "x",
            "\n",
            "`",
            "*",
            "\\",
            "&#27;",
          ),
        ),
        (parts) => {
          const all = shown([
            [message(), run(), step(), text(0, parts.join("")), call("done", { output: parts.join("") })],
          ])
          expect(isSafe(all.out + all.live)).toBe(true)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe("a timeline that scrolls", () => {
  test("a text's blocks are printed once they can change no more", () => {
    const first = [message(), run(), step(), delta(0, 0, "One.\n\nTw")] as const
    const half = shown([first])
    expect(half.out).toBe("\n· ann\n› hi\n\nOne.")
    expect(half.live).toBe("\nTw")
    const whole = shown([
      first,
      [delta(0, 8, "o.")],
      [text(0, "One.\n\nTwo."), step("done")],
      [text(0, "One.\n\nTwo.")],
    ])
    expect(whole).toEqual({ out: "\n· ann\n› hi\n\nOne.\n\nTwo.", live: "" })
  })

  test("a call that runs is drawn again, and printed when it has ended", () => {
    const begun = [message(), run(), step("done"), call("running", { startedAt: AT })] as const
    expect(shown([begun]).live).toBe("\n⠴ refund · once · 2.5s\n  │ order: A1\n  │ cents: 1200")
    const ended = call("done", {
      startedAt: AT,
      endedAt: "2026-11-23T12:00:01.200Z",
      output: { ok: true },
      attempts: 2,
    })
    expect(shown([begun, [ended]]).out).toContain(
      "\n✓ refund · once · 1.2s · 2 attempts\n  │ order: A1\n  │ cents: 1200\n  └ → ok: true",
    )
  })

  test("nothing is printed before what stands above it", () => {
    const second = put("tool_call", `${STEP}-p002`, {
      ...(call("done").value as object),
      id: `${STEP}-p002`,
      index: 2,
      name: "second",
    })
    const { out, live } = shown([[message(), run(), step("done"), call("running"), second]])
    expect(out).not.toContain("second")
    expect(live).toContain("second")
  })

  test("an outcome that nobody knows is said", () => {
    expect(shown([[message(), run(), step("done"), call("unknown")]]).out).toContain(
      "? refund · once\n  │ order: A1\n  │ cents: 1200\n  └ nobody knows whether it took effect; it is not run again",
    )
  })

  test("an approval says how it is answered", () => {
    const events = [
      message(),
      run({ status: "suspended" }),
      step("done"),
      call("waiting"),
      put("approval", `${STEP}-p001`, {
        call: `${STEP}-p001`,
        tool: "refund",
        input: {},
        at: AT,
        status: "waiting",
        quorum: 2,
        from: ["ann"],
      }),
    ]
    expect(shown([events]).live).toContain(
      `It waits for your approval.\n    for ann, 0 of 2 have allowed it\n    rouse approve /assistant/one ${STEP}-p001 (or\n    --deny)`,
    )
    expect(shown([events], { ...VIEW, answering: true }).live).toContain("y allow, n deny, e edit")
  })

  test("reasoning is folded, or whole", () => {
    const events = [message(), run(), step("done"), text(0, "First this.\nThen that.", "reasoning")]
    expect(shown([events]).out).toContain("\n∴ First this. Then that. (22 characters)")
    expect(shown([events], { ...VIEW, reasoning: true }).out).toContain("\n∴ First this.\n  Then that.")
  })

  test("text that a new attempt wrote otherwise is said to be written again", () => {
    const { out } = shown([
      [message(), run(), step(), delta(0, 0, "One.\n\nTw")],
      [step("running", { attempts: 2 })],
      [delta(0, 0, "Uno.\n\nDos")],
      [text(0, "Uno.\n\nDos"), step("done")],
    ])
    expect(out).toContain("One.\n\n· written again\nUno.\n\nDos")
  })

  test("however the events are cut into batches, the end is the same", () => {
    const reply = "# A\n\n- b\n- c\n\nd `e`\n\n```js\nf\n\ng\n```\n\nh"
    const events = [
      message(),
      run(),
      step(),
      ...Array.from(reply, (character, at) => delta(0, at, character)),
      text(0, reply),
      call("running", { startedAt: AT }),
      call("done", { startedAt: AT, endedAt: AT, output: 3 }),
      step("done"),
      message("processed"),
      run({ status: "completed", endedAt: AT, reply }),
    ]
    const whole = shown([events])
    expect(whole.live).toBe("")
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1 }), (sizes) => {
        const batches: ChangeEvent[][] = []
        for (let at = 0, turn = 0; at < events.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1
          batches.push(events.slice(at, at + size))
          at += size
        }
        expect(shown(batches)).toEqual(whole)
      }),
      { numRuns: 60 },
    )
  })

  test("only the newest items of the past are shown", () => {
    const timeline = applyChanges(emptyTimeline(), [
      message(),
      run(),
      step("done"),
      text(0, "hello"),
      run({ status: "completed" }),
    ])
    const [start, left] = skipped(timeline, 2)
    expect(left).toBe(1)
    expect(scroll(start, timeline, VIEW).out.join("\n")).not.toContain("› hi")
  })

  test("on 40 columns nothing is wider", () => {
    const all = shown(
      [
        [
          message("taken", "word ".repeat(30)),
          run(),
          step("done"),
          text(0, DOCUMENT),
          call("done", { output: "y".repeat(300) }),
        ],
      ],
      page(40),
    )
    for (const line of `${all.out}\n${all.live}`.split("\n")) expect(widthOf(line)).toBeLessThanOrEqual(40)
    expect(widthOf(statusLine(applyChanges(emptyTimeline(), [run(), step()]), page(40)))).toBeLessThanOrEqual(40)
  })
})

test("terminals that may lack characters get plain ones", () => {
  expect(glyphsFor({})).toBe(UNICODE)
  expect(glyphsFor({ LANG: "C" })).toBe(ASCII)
  expect(glyphsFor({ LANG: "en_GB.UTF-8" })).toBe(UNICODE)
  expect(glyphsFor({ OS: "Windows_NT" })).toBe(ASCII)
  expect(glyphsFor({ OS: "Windows_NT", WT_SESSION: "1" })).toBe(UNICODE)
  expect(glyphsFor({ ROUSE_ASCII: "1", LANG: "en_GB.UTF-8" })).toBe(ASCII)
  for (const glyph of Object.values(ASCII).flat()) expect(glyph).toMatch(/^[\u0020-\u007e]+$/)
})
