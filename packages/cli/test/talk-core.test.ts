import type { ApprovalRow } from "@rouse/protocol"
import fc from "fast-check"
import picocolors from "picocolors"
import { describe, expect, test } from "vitest"
import { composer } from "../src/core/composer.ts"
import { EMPTY_EDITOR, edit, editorLines, editorOf, insert } from "../src/core/editor.ts"
import type { Editor } from "../src/core/editor.ts"
import type { Key } from "../src/core/key.ts"
import { UNICODE } from "../src/core/look.ts"
import { givenBack, stepTalk, talkOf } from "../src/core/talk.ts"
import type { Meanwhile, Talk, TalkEffect } from "../src/core/talk.ts"
import { widthOf } from "../src/core/wrap.ts"

const key = (name: string, more: Partial<Key> = {}): Key => ({
  name,
  text: name.length === 1 ? name : "",
  ctrl: false,
  meta: false,
  ...more,
})
const LEAVE: TalkEffect = { kind: "leave" }
const CTRL_C = key("c", { ctrl: true, text: "" })
const IDLE: Meanwhile = { busy: false, approvals: {}, nowMs: 0 }
const BUSY: Meanwhile = { ...IDLE, busy: true }

const approval = (more: Partial<ApprovalRow> = {}): Meanwhile => ({
  ...IDLE,
  approvals: {
    c1: { call: "c1", tool: "wipe", input: { disk: "a" }, at: "2026-11-23T12:00:00.000Z", status: "waiting", ...more },
  },
})

/** The talk after some keys, and what they brought about. */
function press(talk: Talk, keys: readonly Key[], meanwhile: Meanwhile = IDLE): readonly [Talk, readonly TalkEffect[]] {
  const effects: TalkEffect[] = []
  let now = talk
  for (const one of keys) {
    const [next, effect] = stepTalk(now, one, meanwhile)
    now = next
    if (effect) effects.push(effect)
  }
  return [now, effects]
}

const typing = (text: string): readonly Key[] => Array.from(text, (character) => key(character))
const RETURN = key("return", { text: "\r" })

describe("a text that is typed", () => {
  const edited = (editor: Editor, ...keys: readonly Key[]): Editor => keys.reduce(edit, editor)

  test("keys move and delete by whole characters", () => {
    const family = "a👩‍👩‍👧b"
    expect(edited(editorOf(family), key("left"), key("backspace"))).toEqual({ text: "ab", cursor: 1 })
    expect(edited(editorOf("one two"), key("w", { ctrl: true }))).toEqual({ text: "one ", cursor: 4 })
    expect(edited(editorOf("one\ntwo"), key("u", { ctrl: true }))).toEqual({ text: "one\n", cursor: 4 })
    expect(edited(editorOf("one\nthree"), key("up"), key("home"), key("k", { ctrl: true }))).toEqual({
      text: "\nthree",
      cursor: 0,
    })
    expect(edited(editorOf("abc\nd"), key("up"), key("down"))).toEqual({ text: "abc\nd", cursor: 5 })
  })

  test("what is pasted keeps its lines and loses its escapes", () => {
    expect(insert(EMPTY_EDITOR, "a\r\nb\u001b[2J\tc").text).toBe("a\nb  c")
  })

  test("any keys leave the cursor within the text, and lines within the columns", () => {
    const keys = fc.constantFrom(
      "left",
      "right",
      "up",
      "down",
      "home",
      "end",
      "backspace",
      "delete",
      "a",
      "日",
      "👩‍👩‍👧",
      " ",
    )
    const press = fc.record({ name: keys, ctrl: fc.boolean(), meta: fc.boolean() })
    fc.assert(
      fc.property(fc.array(press), fc.string(), (all, text) => {
        const editor = all.reduce(
          (now, { name, ...more }) =>
            edit(now, key(name, { text: name.length < 4 || name > "z" ? name : "", ...more })),
          insert(EMPTY_EDITOR, text),
        )
        expect(editor.cursor).toBeGreaterThanOrEqual(0)
        expect(editor.cursor).toBeLessThanOrEqual(editor.text.length)
        const { lines, row, column } = editorLines(editor, 20, "> ")
        expect(lines.every((line) => widthOf(line) <= 20)).toBe(true)
        expect(row).toBeLessThan(lines.length)
        expect(column).toBeLessThanOrEqual(20)
      }),
      { numRuns: 200 },
    )
  })

  test("the cursor stands where the next character goes", () => {
    expect(editorLines(editorOf("ab"), 20, "> ")).toEqual({ lines: ["> ab"], row: 0, column: 4 })
    expect(editorLines(editorOf("ab\n"), 20, "> ")).toEqual({ lines: ["> ab", "  "], row: 1, column: 2 })
    expect(editorLines(editorOf("abcdef"), 8, "> ")).toEqual({ lines: ["> abcdef", "  "], row: 1, column: 2 })
  })
})

describe("a conversation, key by key", () => {
  test("Enter sends, a backslash or Alt-Enter makes a new line, the next message steers again", () => {
    const keys = [
      ...typing("one\\"),
      RETURN,
      ...typing("two"),
      key("return", { meta: true }),
      ...typing("three"),
      RETURN,
    ]
    const [talk, effects] = press({ ...talkOf([]), mode: "queue" }, keys)
    expect(effects).toEqual([{ kind: "send", text: "one\ntwo\nthree", mode: "queue" }])
    expect(talk).toMatchObject({ editor: EMPTY_EDITOR, mode: "steer", history: ["one\ntwo\nthree"] })
  })

  test("nothing is not sent", () => {
    expect(press(talkOf([]), [key(" "), RETURN])[1]).toEqual([])
  })

  test("Tab chooses how a message joins the run", () => {
    const [talk] = press(talkOf([]), [key("tab"), key("tab")], BUSY)
    expect(talk.mode).toBe("interrupt")
    expect(press(talk, [key("tab")])[0].mode).toBe("steer")
  })

  test("Ctrl-C interrupts a run, twice leaves; a while later it interrupts again", () => {
    const [armed, first] = press(talkOf([]), [CTRL_C], BUSY)
    expect(first).toEqual([{ kind: "interrupt" }])
    expect(press(armed, [CTRL_C], { ...BUSY, nowMs: 1_999 })[1]).toEqual([{ kind: "leave" }])
    expect(press(armed, [CTRL_C], { ...BUSY, nowMs: 2_000 })[1]).toEqual([{ kind: "interrupt" }])
    expect(press(armed, [key("x"), CTRL_C], BUSY)[1]).toEqual([{ kind: "say", text: "Ctrl-C again leaves" }])
    expect(press(talkOf([]), [CTRL_C])[1]).toEqual([{ kind: "say", text: "Ctrl-C again leaves" }])
    expect(press(talkOf([]), [CTRL_C, CTRL_C])[1].at(-1)).toEqual({ kind: "leave" })
  })

  test("Ctrl-D leaves when nothing is typed", () => {
    const end = key("d", { ctrl: true, text: "" })
    expect(press(talkOf([]), [end])[1]).toEqual([{ kind: "leave" }])
    expect(press(talkOf([]), [key("x"), end])[1]).toEqual([])
  })

  test("up and down bring back what was said", () => {
    const [talk] = press(talkOf(["a", "b"]), [key("up"), key("up"), key("up")])
    expect(talk.editor.text).toBe("a")
    expect(press(talk, [key("down")])[0].editor.text).toBe("b")
    expect(press(talk, [key("down"), key("down")])[0].editor.text).toBe("")
  })

  test.each([
    ["y", "allow"],
    ["n", "deny"],
  ] as const)("%s decides an approval once", (name, decision) => {
    const [talk, effects] = press(talkOf([]), [key(name), key(name)], approval())
    expect(effects).toEqual([{ kind: "decide", call: "c1", decision }])
    expect(talk.editor.text).toBe(name)
  })

  test("e edits the input that is to run; what is no JSON is not sent", () => {
    const [talk, none] = press(talkOf([]), [key("e"), key("x"), RETURN], approval())
    expect(talk.editor.text).toBe('{\n  "disk": "a"\n}x')
    expect(none).toEqual([{ kind: "say", text: "this is no JSON; Escape leaves the input as it was" }])
    const [after, effects] = press(talk, [key("backspace"), RETURN], approval())
    expect(effects).toEqual([{ kind: "decide", call: "c1", decision: "allow", input: { disk: "a" } }])
    expect(after.editing).toBeUndefined()
    expect(press(talk, [key("escape")], approval())[0]).toMatchObject({ editor: EMPTY_EDITOR, aside: [] })
  })

  test("Escape puts an approval off, and anything can be written", () => {
    const [, effects] = press(talkOf([]), [key("escape"), ...typing("yes"), RETURN], approval())
    expect(effects).toEqual([{ kind: "send", text: "yes", mode: "steer" }])
  })

  test("a message that is under way takes all keys", () => {
    expect(press(talkOf([]), typing("say"), approval())[0].editor.text).toBe("say")
  })

  test("a question is answered by what is typed", () => {
    const asked = approval({ kind: "question", question: "Which?" })
    expect(press(talkOf([]), [...typing("yes"), RETURN], asked)[1]).toEqual([
      { kind: "answer", call: "c1", answer: "yes" },
    ])
    expect(press(talkOf([]), [...typing("[1]"), RETURN], asked)[1]).toEqual([
      { kind: "answer", call: "c1", answer: [1] },
    ])
  })

  test("a budget has no input to edit", () => {
    expect(press(talkOf([]), [key("e")], approval({ kind: "budget" }))[0].editor.text).toBe("e")
  })

  test("what failed is given back", () => {
    const [sent, [effect]] = press(talkOf([]), [...typing("hi"), RETURN])
    expect(givenBack(sent, effect ?? LEAVE).editor.text).toBe("hi")
    const [decided, [decision]] = press(talkOf([]), [key("y")], approval())
    expect(givenBack(decided, decision ?? LEAVE).aside).toEqual([])
  })
})

test("the prompt says what Enter does", () => {
  const view = {
    columns: 40,
    color: picocolors.createColors(false),
    glyphs: UNICODE,
    url: "/a/b",
    nowMs: 0,
    reasoning: false,
    answering: true,
  } as const
  const prompt = (talk: Talk, meanwhile: Meanwhile): string => composer(talk, meanwhile, undefined, view).lines[0] ?? ""
  expect(prompt(talkOf([]), IDLE)).toBe("› ")
  expect(prompt(talkOf([]), BUSY)).toBe("steer › ")
  expect(prompt(talkOf([]), approval({ kind: "question" }))).toBe("answer › ")
  expect(prompt(press(talkOf([]), [key("e")], approval())[0], approval())).toBe("edit › {")
  expect(composer(talkOf([]), BUSY, "it\u001b[2J failed", view).lines.at(-1)).toBe("it failed")
})
