import { applyChanges, emptyTimeline } from "@rouse/client"
import type { ChangeEvent, Json } from "@rouse/protocol"
import { describe, expect, test } from "vitest"
import { advance } from "../src/output/transcript.ts"
import type { Piece, Shown, TranscriptOptions } from "../src/output/transcript.ts"

const AT = "2026-11-23T12:00:00.000Z"
const RUN = "r000001"
const STEP = "r000001-s0001"
const OPTIONS: TranscriptOptions = { url: "/assistant/one", streaming: true, messages: true, replies: true }

function put(type: string, key: string, value: Json, operation: "insert" | "update" = "insert"): ChangeEvent {
  return { type, key, value, headers: { operation } }
}

const message = put("message", "m1", {
  id: "m1",
  kind: "message",
  from: { kind: "user", id: "local" },
  content: "hi",
  mode: "steer",
  at: AT,
  status: "taken",
  run: RUN,
})
const run = put("run", RUN, { id: RUN, wake: "w1", status: "running", startedAt: AT })
const step = put("step", STEP, {
  id: STEP,
  run: RUN,
  index: 1,
  pass: 0,
  model: "rouse/echo",
  messages: ["m1"],
  status: "running",
  startedAt: AT,
})
const delta = (index: number, at: number, text: string): ChangeEvent =>
  put("delta", `${STEP}-p00${index}`, { run: RUN, step: STEP, index, kind: "text", at, text })
const text = (index: number, said: string): ChangeEvent =>
  put("text", `${STEP}-p00${index}`, { run: RUN, step: STEP, index, text: said })
const call = (status: string, more: { readonly [key: string]: Json } = {}): ChangeEvent =>
  put("tool_call", `${STEP}-p001`, {
    id: `${STEP}-p001`,
    run: RUN,
    step: STEP,
    index: 1,
    callId: "c1",
    name: "refund",
    input: { order: "A1" },
    effect: "once",
    idempotencyKey: "k",
    status,
    attempts: 1,
    ...more,
  })

/** What is printed when the events of each batch arrive together. */
function printed(batches: readonly (readonly ChangeEvent[])[], options: TranscriptOptions = OPTIONS): readonly Piece[] {
  let timeline = emptyTimeline()
  let shown: Shown = new Map()
  return batches.flatMap((events) => {
    timeline = applyChanges(timeline, events)
    const [next, pieces] = advance(shown, timeline, options)
    shown = next
    return pieces
  })
}

const texts = (pieces: readonly Piece[]): readonly string[] => pieces.map(({ text: said }) => said)

describe("a timeline as lines that only grow", () => {
  test("text comes as it is written, and once", () => {
    const pieces = printed([
      [message, run, step],
      [delta(0, 0, "Hel")],
      [delta(0, 3, "lo")],
      [text(0, "Hello")],
      [text(0, "Hello")],
    ])
    expect(texts(pieces)).toEqual(["you › hi\n", "Hel", "lo"])
  })

  test("without streaming, text comes when it is whole", () => {
    const options = { ...OPTIONS, streaming: false, messages: false }
    expect(texts(printed([[message, run, step], [delta(0, 0, "Hel")], [text(0, "Hello")]], options))).toEqual(["Hello"])
  })

  test("a tool call is shown when it begins and when it ends", () => {
    const done = call("done", { output: "ok", startedAt: AT, endedAt: "2026-11-23T12:00:01.500Z" })
    const pieces = printed([[message, run, step], [call("intended")], [call("running")], [done], [done]])
    expect(texts(pieces).slice(1)).toEqual(['⚙ refund {"order":"A1"}\n', "✓ refund (1.5s) → ok\n"])
  })

  test("a call that waits says how to decide it", () => {
    expect(texts(printed([[message, run, step, call("waiting")]])).at(-1)).toContain(
      `rouse approve /assistant/one ${STEP}-p001`,
    )
  })

  test("a failed run says why", () => {
    const failed = put(
      "run",
      RUN,
      {
        id: RUN,
        wake: "w1",
        status: "failed",
        startedAt: AT,
        endedAt: AT,
        error: { code: "MODEL_REFUSED", message: "bad key" },
      },
      "update",
    )
    expect(printed([[message, run, step], [failed]]).at(-1)).toMatchObject({ kind: "error", text: "failed: bad key\n" })
  })

  test("a reply that was not written as text is shown at the end", () => {
    const ended = put(
      "run",
      RUN,
      { id: RUN, wake: "w1", status: "completed", startedAt: AT, endedAt: AT, reply: { total: 3 } },
      "update",
    )
    expect(texts(printed([[message, run], [ended]])).at(-1)).toBe('{"total":3}')
  })

  test("no escape sequence of an agent gets through", () => {
    expect(texts(printed([[message, run, step, text(0, "\u001b[2Jgone")]])).join("")).not.toContain("\u001b")
  })
})
