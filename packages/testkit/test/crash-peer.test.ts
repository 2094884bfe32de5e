import { expect, test } from "vitest"
import type { EffectEntry } from "../src/crash/core/effect-book.ts"
import { judgePeer } from "../src/crash/core/judge-peer.ts"
import type { PeerMessage } from "../src/crash/core/judge-peer.ts"

const RUN = { target: "peer", seed: 1, kills: 1 }
const M1: PeerMessage = {
  name: "m1",
  agent: "a",
  content: 'm1\n/call put {"ref":"m1.a"}\n/call mail {"ref":"m1.b"}\n/then\n/call charge {"ref":"m1.c"}',
}

function entry(
  ref: string,
  tool: string,
  effect: EffectEntry["effect"],
  executions: number,
  effects: number,
): EffectEntry {
  return { key: `${ref}-${executions}`, ref, tool, effect, executions, effects, asked: 0 }
}

const DONE = [
  entry("m1.a", "put", "idempotent", 2, 1),
  entry("m1.b", "mail", "once", 1, 1),
  entry("m1.c", "charge", "reconcilable", 1, 1),
]

function judged(effects: readonly EffectEntry[], messages: readonly string[] = ["m1"], open = false) {
  const history = { sent: [], effects, logs: [], lives: [], rest: [], nextDueAtMs: undefined }
  return judgePeer(history, { sent: [M1], threads: [{ agent: "a", messages, open }] }, RUN)
}

test("a peer that did each piece of work once, or again under its key, broke nothing", () => {
  const { summary, violations } = judged(DONE)
  expect(violations).toEqual([])
  expect(summary).toMatchObject({ sent: 1, settled: 1, lost: 0, duplicated: 0, violations: 0 })
  expect(summary.byClass.idempotent).toMatchObject({ calls: 1, executions: 2, effects: 1, duplicated: 0, again: 1 })
})

test("work that was done twice is found by its ref, under whatever key", () => {
  const { summary, violations } = judged([
    ...DONE,
    entry("m1.b", "mail", "once", 1, 1),
    entry("m1.c", "charge", "reconcilable", 1, 1),
  ])
  expect(violations.map(({ what }) => what)).toEqual(["ran 2 times", "had its effect 2 times"])
  expect(summary.byClass.once).toMatchObject({ executions: 2, duplicated: 1 })
})

test("messages that are missing, left open or there twice are found, and work that never ran", () => {
  expect(judged(DONE, []).summary).toMatchObject({ lost: 1, settled: 0 })
  expect(judged(DONE, ["m1"], true).summary.lost).toBe(1)
  expect(judged(DONE, ["m1", "m1"]).summary.duplicated).toBe(1)
  expect(judged(DONE.slice(1)).violations).toMatchObject([{ rule: "P2", what: "never ran" }])
})
