import { backoffMs } from "@rouse/protocol"
import type { ApprovalRow, Effect, ToolCallRow } from "@rouse/protocol"
import { describe, expect, test } from "vitest"
import { interruptedStatus, resolveCall } from "../src/core/ledger.ts"
import { Recorder } from "../src/core/recorder.ts"
import { Redactor } from "../src/core/redactor.ts"
import { LiveRows } from "../src/core/rows.ts"
import { idFrom } from "../src/outbox.ts"

const call = (status: ToolCallRow["status"], effect: Effect): ToolCallRow => ({
  id: "r000001-s0001-p000",
  run: "r000001",
  step: "r000001-s0001",
  index: 0,
  callId: "c",
  name: "t",
  input: {},
  effect,
  idempotencyKey: "k",
  status,
  attempts: 1,
})

const approval = (status: ApprovalRow["status"]): ApprovalRow => ({ call: "c", tool: "t", input: {}, at: "", status })

describe("a call found open is resolved by its class", () => {
  type Open = "intended" | "waiting" | "running"
  const table: Record<Open, Record<Effect, string>> = {
    intended: { pure: "begin", idempotent: "begin", reconcilable: "begin", once: "begin" },
    waiting: { pure: "wait", idempotent: "wait", reconcilable: "wait", once: "wait" },
    running: { pure: "again", idempotent: "again", reconcilable: "reconcile", once: "unknown" },
  }
  for (const [status, effects] of Object.entries(table)) {
    test.each(Object.entries(effects))(`${status}, %s: %s`, (effect, kind) => {
      expect(resolveCall(call(status as Open, effect as Effect), undefined).kind).toBe(kind)
    })
  }

  test.each(["done", "failed", "denied", "unknown", "cancelled"] as const)("%s is settled", (status) => {
    expect(() => resolveCall(call(status, "pure"), undefined)).toThrow("settled")
  })

  const decisions: Record<ApprovalRow["status"], string> = {
    waiting: "wait",
    allowed: "begin",
    denied: "deny",
    cancelled: "cancel",
    answered: "answer",
    expired: "deny",
  }
  test.each(Object.entries(decisions))("an approval that is %s: %s", (status, kind) => {
    expect(resolveCall(call("waiting", "once"), approval(status as ApprovalRow["status"])).kind).toBe(kind)
  })

  test("an interrupt calls only what cannot have happened cancelled", () => {
    expect(interruptedStatus(call("running", "once"))).toBe("unknown")
    expect(interruptedStatus(call("intended", "once"))).toBe("cancelled")
    expect(interruptedStatus(call("running", "idempotent"))).toBe("cancelled")
  })
})

const NO_SECRETS = new Redactor([])

test("backoff doubles, is jittered, and is bounded", () => {
  expect([1, 2, 3, 10].map((attempt) => backoffMs(attempt, 100, 1_000, 0))).toEqual([50, 100, 200, 500])
  expect([1, 2, 3, 10].map((attempt) => backoffMs(attempt, 100, 1_000, 1))).toEqual([100, 200, 400, 1_000])
})

test("rows list in the order of keys, whatever the order of writes", () => {
  const rows = new LiveRows([{ collection: "x", key: "b", value: 1 }])
  rows.put("x", "c", 2)
  rows.put("x", "a", 3)
  expect(rows.keys("x")).toEqual(["a", "b", "c"])
  rows.apply({ type: "x", key: "b", headers: { operation: "delete" } })
  expect(rows.list("x")).toEqual([3, 2])
  expect(rows.list("none")).toEqual([])
})

test("ids are made of any text", () => {
  expect(idFrom("w-1.2")).toBe("w-1.2")
  expect(idFrom("a/b:c")).toBe("a-b-c")
  expect(idFrom("/a")).toBe("x-a")
  expect(idFrom("é".repeat(300))).toHaveLength(128)
})

test("a recorder says each piece of text once, and keeps the provider's seal", () => {
  const recorder = new Recorder()
  recorder.add({ type: "reasoning-start", id: "1" })
  recorder.add({ type: "reasoning-delta", id: "1", delta: "hm" })
  recorder.add({ type: "reasoning-end", id: "1", providerMetadata: { anthropic: { signature: "s" } } })
  recorder.add({ type: "text-start", id: "1" })
  recorder.add({ type: "text-delta", id: "1", delta: "He" })
  expect(recorder.takeDeltas("r", "s", NO_SECRETS).map(([, delta]) => [delta.kind, delta.at, delta.text])).toEqual([
    ["reasoning", 0, "hm"],
    ["text", 0, "He"],
  ])
  recorder.add({ type: "text-delta", id: "1", delta: "llo" })
  expect(recorder.takeDeltas("r", "s", NO_SECRETS).map(([key, delta]) => [key, delta.at, delta.text])).toEqual([
    ["s-p001", 2, "llo"],
  ])
  expect(recorder.takeDeltas("r", "s", NO_SECRETS)).toEqual([])
  expect(recorder.parts[0]).toMatchObject({ text: "hm", metadata: { anthropic: { signature: "s" } } })
  expect(recorder.add({ type: "error", error: "no" })).toEqual({ error: "no" })
})
