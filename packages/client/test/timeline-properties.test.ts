import type { ChangeEvent } from "@rouse/protocol"
import { partKey, runKey, stepKey } from "@rouse/protocol"
import * as fc from "fast-check"
import { expect, test } from "vitest"
import { applyChange, applyChanges, emptyTimeline, statusOf, usageOf } from "../src/index.ts"
import type { Part, Timeline } from "../src/index.ts"

/** Any order of any rows, few enough keys that they meet: far wilder than a real log. */

const of = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
const messageKey = of("m1", "m2", "m3", "m4")
const run = of(runKey(1), runKey(2))
const step = fc.tuple(run, of(1, 2, 3)).map(([r, n]) => stepKey(r, n))
const part = fc
  .tuple(step, of(0, 1, 2))
  .map(([s, index]) => ({ run: s.slice(0, 7), step: s, index, key: partKey(s, index) }))
const words = of("a", "bc", "")

const put = (type: string, key: string, value: object): ChangeEvent => ({
  type,
  key,
  value: value as never,
  headers: { operation: "insert" },
})

const change: fc.Arbitrary<ChangeEvent> = fc.oneof(
  fc
    .tuple(messageKey, of("accepted", "taken", "processed", "dead"), fc.option(run, { nil: undefined }))
    .map(([id, status, r]) => put("message", id, { id, kind: "message", status, ...(r && { run: r }) })),
  fc
    .tuple(run, of("running", "suspended", "completed", "failed"), words)
    .map(([id, status, reply]) => put("run", id, { id, status, reply })),
  fc
    .tuple(step, of("running", "done", "failed"), fc.uniqueArray(messageKey, { maxLength: 2 }))
    .map(([id, status, messages]) =>
      put("step", id, { id, run: id.slice(0, 7), status, messages, usage: { inputTokens: 1, outputTokens: 1 } }),
    ),
  fc
    .tuple(part, of("text", "reasoning"), words)
    .map(([{ key, ...row }, type, text]) => put(type, key, { ...row, text })),
  fc
    .tuple(part, of("text", "reasoning"), fc.nat(4), words)
    .map(([{ key, ...row }, kind, at, text]) => put("delta", key, { ...row, kind, at, text })),
  fc
    .tuple(part, of("intended", "waiting", "running", "done"))
    .map(([{ key, ...row }, status]) => put("tool_call", key, { ...row, id: key, name: "t", status })),
  fc.tuple(part, of("waiting", "allowed")).map(([{ key }, status]) => put("approval", key, { call: key, status })),
  fc
    .tuple(of("w1", "w2"), of(1, 2), of(undefined, "completed", "retry", "lost", "dead"))
    .map(([id, attempt, outcome]) => put("wake", id, { id, attempt, ...(outcome && { outcome, endedAt: "now" }) })),
  fc.tuple(of("e1", "e2"), of("w1", "w2")).map(([key, wake]) => put("error", key, { wake, attempt: 1 })),
  of("c1", "c2").map((key) => put("child", key, { url: key, status: "running" })),
  fc
    .tuple(of("message", "tag", "approval", "schedule", "step"), messageKey)
    .map(([type, key]): ChangeEvent => ({ type, key, headers: { operation: "delete" } })),
)

const history = fc.array(change, { maxLength: 60 })
const one = (timeline: Timeline, events: readonly ChangeEvent[]): Timeline => events.reduce(applyChange, timeline)

test("applying one by one, at once, or in any batches is the same; every prefix has a status and a usage", () => {
  fc.assert(
    fc.property(history, fc.nat(60), (events, cut) => {
      const all = applyChanges(emptyTimeline(), events)
      expect(one(emptyTimeline(), events)).toEqual(all)
      expect(applyChanges(one(emptyTimeline(), events.slice(0, cut)), events.slice(cut))).toEqual(all)
      for (let n = 0; n <= events.length; n += 7) {
        const prefix = applyChanges(emptyTimeline(), events.slice(0, n))
        expect(statusOf(prefix).label).not.toBe("")
        expect(usageOf(prefix).inputTokens).toBeGreaterThanOrEqual(0)
      }
    }),
  )
})

test("a key is one item or one part, and shows what was written last", () => {
  fc.assert(
    fc.property(history, (events) => {
      const { items } = applyChanges(emptyTimeline(), events)
      expect(new Set(items.map((item) => item.id)).size).toBe(items.length)
      const last = (types: readonly string[], key: string): ChangeEvent | undefined =>
        events.findLast((event) => types.includes(event.type) && event.key === key)
      for (const item of items) {
        if (item.kind === "message") expect(item.row).toBe(last(["message"], item.key)?.value)
        if (item.kind !== "step") continue
        if (item.row) expect(item.row).toBe(last(["step"], item.key)?.value ?? lastPut(events, "step", item.key))
        const places = item.parts.map((p: Part) => p.index)
        expect(places).toEqual([...new Set(places)].sort((a, b) => a - b))
        for (const p of item.parts) {
          const written = last(["text", "reasoning", "delta", "tool_call"], p.key)
          if (p.kind === "tool") expect(p.row).toBe(written?.value)
          else if (written?.type !== "delta")
            expect(p).toMatchObject({ text: (written?.value as { text: string } | undefined)?.text, streaming: false })
        }
      }
    }),
  )
})

function lastPut(events: readonly ChangeEvent[], type: string, key: string): unknown {
  return events.findLast((event) => event.type === type && event.key === key && event.value !== undefined)?.value
}

test("a message stands before the step that took it, and nothing pending is forgotten", () => {
  fc.assert(
    fc.property(history, (events) => {
      const { items, pending } = applyChanges(emptyTimeline(), events)
      const place = new Map(items.map((item, index) => [item.id, index]))
      for (const item of items) {
        if (item.kind === "step") {
          const end = place.get(`runEnd:${item.run}`)
          expect(place.get(item.id)).toBeLessThan(end ?? Infinity)
        }
        if (item.kind !== "message") continue
        const open = item.row.status === "accepted" || item.row.status === "taken"
        expect(pending.includes(item.key)).toBe(open)
        if (item.step === undefined) continue
        expect(place.get(item.id)).toBeLessThan(place.get(`step:${item.step}`) ?? -1)
      }
    }),
  )
})

test("what was applied before is never changed", () => {
  fc.assert(
    fc.property(history, history, (events, more) => {
      const before = applyChanges(emptyTimeline(), events)
      const copy = structuredClone(before)
      const branch = one(before, more)
      expect(before).toEqual(copy)
      // Two futures of one past do not disturb each other.
      expect(applyChanges(before, more)).toEqual(branch)
      expect(one(before, [...more].reverse())).toEqual(applyChanges(structuredClone(before), [...more].reverse()))
    }),
  )
})
