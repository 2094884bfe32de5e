import type { BuiltInCollection, BuiltInRows, ChangeEvent } from "@rouse/protocol"
import { partKey, runKey, stepKey } from "@rouse/protocol"
import { expect, test } from "vitest"
import { applyChange, applyChanges, emptyTimeline, statusOf, usageOf } from "../src/index.ts"
import type { Item, StepItem, Timeline } from "../src/index.ts"

const AT = "2026-11-23T12:00:00.000Z"
const R1 = runKey(1)
const S1 = stepKey(R1, 1)
const S2 = stepKey(R1, 2)
const S3 = stepKey(R1, 3)

function put<K extends BuiltInCollection>(type: K, key: string, row: BuiltInRows[K]): ChangeEvent {
  return { type, key, value: row as never, headers: { operation: "insert" } }
}

const remove = (type: string, key: string): ChangeEvent => ({ type, key, headers: { operation: "delete" } })

const message = (id: string, row: Partial<BuiltInRows["message"]> = {}): ChangeEvent =>
  put("message", id, {
    id,
    kind: "message",
    from: { kind: "user", id: "ann" },
    content: `content of ${id}`,
    mode: "steer",
    at: AT,
    status: "accepted",
    ...row,
  })

const run = (id: string, row: Partial<BuiltInRows["run"]> = {}): ChangeEvent =>
  put("run", id, { id, wake: "w1", status: "running", startedAt: AT, ...row })

const step = (id: string, messages: readonly string[] = [], row: Partial<BuiltInRows["step"]> = {}): ChangeEvent =>
  put("step", id, {
    id,
    run: id.slice(0, 7),
    index: 0,
    pass: 0,
    model: "rouse/echo",
    messages,
    status: "running",
    startedAt: AT,
    ...row,
  })

const text = (of: string, index: number, content: string): ChangeEvent =>
  put("text", partKey(of, index), { run: of.slice(0, 7), step: of, index, text: content })

const delta = (of: string, index: number, at: number, content: string): ChangeEvent =>
  put("delta", partKey(of, index), { run: of.slice(0, 7), step: of, index, kind: "text", at, text: content })

const call = (of: string, index: number, row: Partial<BuiltInRows["tool_call"]> = {}): ChangeEvent =>
  put("tool_call", partKey(of, index), {
    id: partKey(of, index),
    run: of.slice(0, 7),
    step: of,
    index,
    callId: "c1",
    name: "refund",
    input: {},
    effect: "once",
    idempotencyKey: "k",
    status: "intended",
    attempts: 0,
    ...row,
  })

const approval = (of: string, index: number, row: Partial<BuiltInRows["approval"]> = {}): ChangeEvent =>
  put("approval", partKey(of, index), {
    call: partKey(of, index),
    tool: "refund",
    input: {},
    at: AT,
    status: "waiting",
    ...row,
  })

const wake = (row: Partial<BuiltInRows["wake"]> = {}): ChangeEvent =>
  put("wake", "w1", { id: "w1", attempt: 1, epoch: 1, reasons: ["message"], at: AT, ...row })

const error = (key: string, attempt: number): ChangeEvent =>
  put("error", key, { code: "HANDLER_FAILED", message: "broke", at: AT, wake: "w1", attempt })

const after = (...events: readonly ChangeEvent[]): Timeline => applyChanges(emptyTimeline(), events)
const order = (timeline: Timeline): string[] => timeline.items.map((item) => item.key)
const stepOf = (timeline: Timeline, key: string): StepItem => {
  const found = timeline.items.find((item): item is StepItem => item.kind === "step" && item.key === key)
  if (!found) throw new Error(`no step ${key}`)
  return found
}
const itemOf = <K extends Item["kind"]>(timeline: Timeline, kind: K): Extract<Item, { kind: K }> | undefined =>
  timeline.items.find((item): item is Extract<Item, { kind: K }> => item.kind === kind)

test("a turn: the message, its step, the text as it streams and settles, the end of the run", () => {
  let timeline = after(message("m1"), wake(), run(R1), step(S1, ["m1"]), delta(S1, 0, 0, "Hel"), delta(S1, 0, 3, "lo"))
  expect(stepOf(timeline, S1).parts).toMatchObject([{ kind: "text", text: "Hello", streaming: true, gap: false }])
  expect(statusOf(timeline)).toEqual({ kind: "writing", label: "writing", busy: true })
  const usage = { inputTokens: 10, outputTokens: 2 }
  timeline = applyChanges(timeline, [
    step(S1, ["m1"], { status: "done", endedAt: AT, usage }),
    text(S1, 0, "Hello."),
    run(R1, { status: "completed", endedAt: AT, reply: "Hello.", usage }),
    message("m1", { status: "processed", run: R1 }),
    wake({ endedAt: AT, outcome: "completed" }),
  ])
  expect(order(timeline)).toEqual(["m1", S1, R1])
  expect(stepOf(timeline, S1).parts).toMatchObject([{ text: "Hello.", streaming: false }])
  expect(itemOf(timeline, "runEnd")).toMatchObject({ outcome: "completed", run: R1 })
  expect(itemOf(timeline, "runEnd")).not.toHaveProperty("reply")
  expect(statusOf(timeline)).toEqual({ kind: "idle", label: "idle", busy: false })
  expect([usageOf(timeline), usageOf(timeline, R1)]).toEqual([usage, usage])
})

test("a reply that is not the last text is shown with the end of the run", () => {
  const timeline = after(
    run(R1),
    step(S1),
    text(S1, 0, "thinking aloud"),
    run(R1, { status: "completed", reply: { n: 1 } }),
  )
  expect(itemOf(timeline, "runEnd")?.reply).toEqual({ n: 1 })
})

test("a commit that tells the end of a run before its steps shows them in order", () => {
  const timeline = after(
    message("m1"),
    message("m2"),
    run(R1, { status: "completed", reply: "Hi" }),
    step(S1, ["m1"], { status: "done" }),
    text(S1, 0, "let me see"),
    text(S2, 0, "Hi"),
    step(S2, [], { status: "done" }),
    message("m1", { status: "processed", run: R1 }),
  )
  expect(order(timeline)).toEqual(["m1", S1, S2, R1, "m2"])
  expect(itemOf(timeline, "runEnd")).not.toHaveProperty("reply")
})

test("a message that a step takes later stands before that step; one still waiting stands last", () => {
  let timeline = after(message("m1"), message("m2", { mode: "queue" }), run(R1), step(S1, ["m1"]))
  expect(order(timeline)).toEqual(["m1", S1, "m2"])
  timeline = applyChanges(timeline, [
    message("m3"),
    step(S2),
    message("m3", { status: "taken", run: R1 }),
    step(S3, ["m3"]),
  ])
  expect(order(timeline)).toEqual(["m1", S1, S2, "m3", S3, "m2"])
  timeline = applyChange(timeline, run(R1, { status: "completed" }))
  expect(order(timeline)).toEqual(["m1", S1, S2, "m3", S3, R1, "m2"])
})

test("a message passed over by a step moves down to the one that takes it", () => {
  const child = { url: "/judge/one", type: "judge", at: AT, wake: "never", status: "running" } as const
  const passed = [message("m1", { mode: "queue" }), put("child", "/judge/one", child), step(S1)]
  expect(order(after(...passed))).toEqual(["m1", "/judge/one", S1])
  expect(order(after(...passed, step(S2, ["m1"])))).toEqual(["/judge/one", S1, "m1", S2])
})

test("a run without steps ends after the message that it answers, in whatever order the rows come", () => {
  const ends = run(R1, { status: "completed", reply: "hi" })
  const settles = message("m1", { status: "processed", run: R1 })
  expect(order(after(message("m1"), run(R1), ends, settles))).toEqual(["m1", R1])
  expect(order(after(message("m1"), run(R1), settles, ends))).toEqual(["m1", R1])
})

test("a delta that does not follow marks a gap until the text settles", () => {
  let timeline = after(step(S1), delta(S1, 0, 0, "ab"), delta(S1, 0, 5, "fg"), delta(S1, 0, 7, "h"))
  expect(stepOf(timeline, S1).parts).toMatchObject([{ text: "abfgh", gap: true, streaming: true }])
  timeline = applyChange(timeline, text(S1, 0, "abcdefgh"))
  expect(stepOf(timeline, S1).parts).toMatchObject([{ text: "abcdefgh", gap: false, streaming: false }])
})

test("a log joined in the middle of a text marks a gap", () => {
  expect(stepOf(after(delta(S1, 0, 12, "tail")), S1).parts).toMatchObject([{ text: "tail", gap: true }])
})

test("a step tried again replaces what the first try streamed", () => {
  const timeline = after(
    step(S1),
    delta(S1, 0, 0, "first"),
    delta(S1, 1, 0, "more"),
    step(S1),
    delta(S1, 0, 0, "again"),
  )
  expect(stepOf(timeline, S1).parts).toMatchObject([{ text: "again", gap: false }])
  expect(order(timeline)).toEqual([S1])
})

test("parts stand by index, whatever order they come in", () => {
  const timeline = after(step(S1), call(S1, 2), text(S1, 1, "b"), delta(S1, 0, 0, "a"))
  expect(stepOf(timeline, S1).parts.map((part) => part.index)).toEqual([0, 1, 2])
})

test("a tool call shows its approval, whichever comes first", () => {
  const waiting = call(S1, 0, { status: "waiting" })
  for (const events of [
    [waiting, approval(S1, 0)],
    [approval(S1, 0), waiting],
  ]) {
    let timeline = after(run(R1), step(S1, [], { status: "done" }), ...events, run(R1, { status: "suspended" }))
    expect(stepOf(timeline, S1).parts).toMatchObject([{ kind: "tool", approval: { status: "waiting" } }])
    expect(statusOf(timeline)).toEqual({ kind: "approval", label: "waiting for approval", busy: false })
    timeline = applyChanges(timeline, [
      approval(S1, 0, { status: "allowed" }),
      run(R1),
      call(S1, 0, { status: "running", attempts: 1 }),
    ])
    expect(timeline.approvals).toEqual({})
    expect(stepOf(timeline, S1).parts).toMatchObject([{ approval: { status: "allowed" }, row: { attempts: 1 } }])
    expect(statusOf(timeline)).toEqual({ kind: "calling", label: "calling refund", busy: true })
  }
})

test("a failed attempt says whether another follows; a lost and a dead wake are shown", () => {
  let timeline = after(message("m1"), wake(), error("e1", 1))
  expect(itemOf(timeline, "error")?.retried).toBe(false)
  timeline = applyChange(timeline, wake({ endedAt: AT, outcome: "retry" }))
  expect(itemOf(timeline, "error")?.retried).toBe(true)
  expect(statusOf(timeline)).toMatchObject({ kind: "retrying", label: "retrying after attempt 1" })
  timeline = applyChanges(timeline, [
    wake({ attempt: 2 }),
    wake({ attempt: 2, endedAt: AT, outcome: "lost" }),
    wake({ attempt: 3 }),
    error("e3", 3),
    wake({ attempt: 3, endedAt: AT, outcome: "dead" }),
    message("m1", { status: "dead", reason: "broke" }),
  ])
  expect(timeline.items.map((item) => item.kind)).toEqual(["message", "error", "wake", "error", "wake"])
  expect(timeline.items.map((item) => item.kind === "error" && item.retried)).toEqual([
    false,
    true,
    false,
    false,
    false,
  ])
  expect(statusOf(timeline).kind).toBe("dead")
  expect(statusOf(applyChange(timeline, message("m1"))).kind).not.toBe("dead")
})

test("what a lost wake or a finished run left open streams no longer", () => {
  const lost = after(run(R1), step(S1), delta(S1, 0, 0, "half"), wake({ endedAt: AT, outcome: "lost" }))
  expect(stepOf(lost, S1).parts).toMatchObject([{ text: "half", streaming: false }])
  const ended = after(run(R1), step(S1), delta(S1, 0, 0, "half"), run(R1, { status: "interrupted" }))
  expect(stepOf(ended, S1)).toMatchObject({ status: "interrupted", parts: [{ text: "half", streaming: false }] })
})

test("children, tags, schedules and the entity's status", () => {
  const child = { url: "/judge/one", type: "judge", at: AT, wake: "finished", status: "running" } as const
  let timeline = after(
    run(R1),
    put("child", "/judge/one", child),
    put("tag", "vip", { value: "yes" }),
    run(R1, { status: "suspended" }),
  )
  expect(statusOf(timeline)).toEqual({ kind: "children", label: "waiting for /judge/one", busy: true })
  expect(timeline.tags).toEqual({ vip: "yes" })
  timeline = applyChanges(timeline, [
    put("child", "/judge/one", { ...child, status: "completed", reply: "B wins" }),
    remove("tag", "vip"),
    put("schedule", "s1", { to: "/a/b", content: "x", dueAt: AT }),
    remove("schedule", "s1"),
    put("entity", "self", {
      url: "/a/b",
      type: "a",
      id: "b",
      args: {},
      parent: null,
      createdAt: AT,
      status: "stopped",
    }),
  ])
  expect(itemOf(timeline, "child")?.row).toMatchObject({ status: "completed", reply: "B wins" })
  expect([timeline.tags, timeline.schedules, statusOf(timeline).kind]).toEqual([{}, {}, "stopped"])
})

test("signals of the platform are items; custom ones arrive as messages", () => {
  const signal = (name: string): ChangeEvent => put("signal", name, { name, from: { kind: "user", id: "ann" }, at: AT })
  expect(order(after(signal("interrupt"), signal("nudge")))).toEqual(["interrupt"])
})

test("what shows nothing new gives the same timeline", () => {
  const timeline = after(message("m1"))
  const nothing: readonly ChangeEvent[] = [
    put("memo", "k", { wake: "w1", value: 1 }),
    { type: "notes", key: "n1", value: { id: "n1" }, headers: { operation: "insert" } },
    { type: "message", key: "m2", value: "not a row", headers: { operation: "insert" } },
    { type: "toString", key: "m2", value: {}, headers: { operation: "insert" } },
    remove("notes", "n1"),
    remove("message", "none"),
    remove("tag", "none"),
  ]
  expect(applyChanges(timeline, nothing)).toBe(timeline)
})

test("a change shares every item that it does not touch, and leaves the old timeline as it was", () => {
  const before = after(message("m1"), run(R1), step(S1, ["m1"]), text(S1, 0, "a"), step(S2), delta(S2, 0, 0, "b"))
  const copy = structuredClone(before)
  const next = applyChange(before, delta(S2, 0, 1, "c"))
  expect(before).toEqual(copy)
  expect(next.items.map((item, index) => item === before.items[index])).toEqual([true, true, false])
  expect(applyChange(before, message("m2")).items.slice(0, 3)).toEqual(before.items)
  const deleted = applyChange(before, remove("message", "m1"))
  expect(order(applyChange(deleted, delta(S2, 0, 1, "c")))).toEqual([S1, S2])
  expect(order(applyChange(before, delta(S2, 0, 1, "d")))).toEqual(["m1", S1, S2])
})
