import type { Budget, Spend } from "@rouse/protocol"
import fc from "fast-check"
import { expect, test } from "vitest"
import { countWake, longerCause, nextCause, returnedCause } from "../src/core/breaker.ts"
import {
  type BudgetState,
  childBudget,
  extend,
  extendFrom,
  giveBack,
  leftOf,
  newBudget,
  newlyWarned,
  NOTHING,
  reserve,
  retake,
  settle,
  SHARED,
} from "@rouse/protocol/budget"
import { book, totals } from "../src/core/usage-book.ts"

const call = (usd: number, tokens = 0, step = "s1") => ({ step, usd, tokens })
const used = (spend: Partial<Spend>): Spend => ({ ...NOTHING, ...spend })

test.each<[string, Budget, Partial<Spend>, readonly string[]]>([
  ["nothing bounded", {}, { usd: 99, steps: 99 }, []],
  ["enough", { usd: 2 }, { usd: 1 }, []],
  ["exactly enough", { usd: 2 }, { usd: 1.5 }, []],
  ["not enough money", { usd: 2 }, { usd: 1.6 }, ["usd"]],
  ["not enough tokens", { tokens: 109 }, { tokens: 100 }, ["tokens"]],
  ["no step left", { steps: 2 }, { steps: 2 }, ["steps"]],
  ["a step left", { steps: 3 }, { steps: 2 }, []],
  ["tool calls used up", { toolCalls: 2 }, { toolCalls: 2 }, ["toolCalls"]],
  ["no tools, and none called", { toolCalls: 0 }, {}, []],
  ["several at once", { usd: 0.1, steps: 0, tokens: 1 }, {}, ["usd", "tokens", "steps"]],
])("reserving with %s", (_, limits, spent, refused) => {
  const state = settle(newBudget(limits), "s0", used(spent))
  const tried = reserve(state, call(0.5, 10), 0)
  expect(tried.refused).toEqual(refused)
  expect(tried.state.held).toEqual(refused.length === 0 ? call(0.5, 10) : null)
})

test("wall time counts the wakes that are over and the one under way", () => {
  const state = { ...newBudget({ wallMs: 1_000 }), wallMs: 600 }
  expect(reserve(state, call(0), 399).refused).toEqual([])
  expect(reserve(state, call(0), 400).refused).toEqual(["wallMs"])
})

test("asking again for a step replaces what was held for it, and settling frees it", () => {
  let { state } = reserve(newBudget({ usd: 1 }), call(0.8), 0)
  const again = reserve(state, call(0.9), 0)
  expect(again.refused).toEqual([])
  state = settle(again.state, "s1", used({ usd: 0.4, steps: 1 }))
  expect(state.held).toBeNull()
  expect(leftOf(state, "usd")).toBeCloseTo(0.6)
  expect(settle(again.state, "another", NOTHING).held).not.toBeNull()
})

test("it warns once for each bound", () => {
  const state = settle(newBudget({ usd: 10, steps: 2, warnAt: 0.5 }), "s", used({ usd: 1, steps: 1 }))
  expect(newlyWarned(state)).toEqual(["steps"])
  expect(newlyWarned({ ...state, warned: ["steps"] })).toEqual([])
})

test("a child gets what it asks for as far as there is any, or half; its own bounds are inherited", () => {
  const parent = newBudget({ usd: 8, steps: 5, depth: 3, children: 4, wallMs: 9 })
  expect(childBudget({ usd: 3 }, parent, "/p/1").child.limits).toEqual({
    usd: 3,
    steps: 2,
    depth: 2,
    children: 4,
    wallMs: 9,
  })
  expect(childBudget({ usd: 99 }, parent, "/p/1").child.limits.usd).toBe(8)
  expect(childBudget({ depth: 1, tokens: 7 }, parent, "/p/1").child.limits).toMatchObject({
    depth: 1,
    tokens: 7,
    usd: 4,
  })
  expect(childBudget({ usd: 3 }, parent, "/p/1").parent.lent).toEqual(used({ usd: 3, steps: 2 }))
})

test("what is left returns; a later run takes it again; what people added is new money above too", () => {
  const first = childBudget({ usd: 4 }, newBudget({ usd: 10 }), "/p/1")
  const worked = settle(first.child, "s", used({ usd: 1, steps: 1 }))
  const home = giveBack(extend(worked, { usd: 5 }), first.parent)
  expect(home.parent).toMatchObject({ limits: { usd: 15 }, lent: { usd: 0 }, spent: { usd: 1, steps: 1 } })
  expect(leftOf(home.child, "usd")).toBe(0)
  expect(giveBack(home.child, home.parent).parent).toEqual(home.parent)
  const again = retake(home.child, home.parent)
  expect(leftOf(again.child, "usd")).toBe(4)
  expect(leftOf(again.parent, "usd")).toBe(10)
})

/** What happens to a tree of three: a root, its child, and the child's child. */
const events = fc.array(
  fc.record({
    kind: fc.constantFrom("call", "call", "call", "end", "people", "parent"),
    who: fc.integer({ min: 0, max: 2 }),
    amount: fc.integer({ min: 1, max: 300 }),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  { maxLength: 60 },
)

interface Tree {
  readonly states: BudgetState[]
  /** What was really used, over all. */
  spent: number
  /** What people added. */
  given: number
  /** The largest call. */
  dearest: number
}

function at(states: readonly BudgetState[], index: number): BudgetState {
  const state = states.at(index)
  if (state === undefined) throw new Error(`there is no agent ${index}`)
  return state
}

function treeOf(limit: number): Tree {
  const first = childBudget({}, newBudget({ usd: limit }), "/t/0")
  const second = childBudget({}, first.child, "/t/1")
  return { states: [first.parent, second.parent, second.child], spent: 0, given: 0, dearest: 0 }
}

type Happening = (typeof events extends fc.Arbitrary<infer T> ? T : never) extends readonly (infer E)[] ? E : never

function happen(tree: Tree, { kind, who, amount, part }: Happening, overrun: number): void {
  const { states } = tree
  const self = at(states, who)
  const above = who > 0 ? at(states, who - 1) : undefined
  if (kind === "people") {
    states[who] = extend(self, { usd: amount })
    tree.given += amount
  } else if (kind === "end" && above) {
    const pair = giveBack(self, above)
    states[who] = pair.child
    states[who - 1] = pair.parent
  } else if (kind === "parent" && above) {
    const pair = self.home ? retake(self, above) : extendFrom(self, above, { usd: amount })
    states[who] = pair.child
    states[who - 1] = pair.parent
  } else if (kind === "call") {
    const tried = reserve(self, call(amount), 0)
    const usd = tried.refused.length > 0 ? 0 : amount * part * overrun
    tree.dearest = Math.max(tree.dearest, usd)
    tree.spent += usd
    states[who] = tried.refused.length > 0 ? tried.state : settle(tried.state, "s1", used({ usd, steps: 1 }))
  }
}

test("property: calls within what is held for them never use more than the tree's budget", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2_000 }), events, (limit, list) => {
      const tree = treeOf(limit)
      for (const event of list) happen(tree, event, 1)
      expect(tree.spent).toBeLessThanOrEqual(limit + tree.given + 1e-6)
      for (const state of tree.states) expect(leftOf(state, "usd")).toBeGreaterThanOrEqual(-1e-6)
    }),
  )
})

test("property: when everyone is home, the root knows all that was used, and nothing is lent", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2_000 }), events, (limit, list) => {
      const tree = treeOf(limit)
      for (const event of list) happen(tree, event, 1)
      for (const who of [2, 1]) happen(tree, { kind: "end", who, amount: 1, part: 0 }, 1)
      const root = at(tree.states, 0)
      expect(root.spent.usd).toBeCloseTo(tree.spent, 6)
      expect(root.lent.usd).toBeCloseTo(0, 6)
      expect(root.limits.usd).toBeCloseTo(limit + tree.given, 6)
    }),
  )
})

test("property: calls that use twice what is held overrun by no more than one call of each agent", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2_000 }), events, (limit, list) => {
      const tree = treeOf(limit)
      for (const event of list) happen(tree, event, 2)
      expect(tree.spent).toBeLessThanOrEqual(limit + tree.given + tree.states.length * tree.dearest + 1e-6)
    }),
  )
})

test("every shared resource is one of a spend's", () => {
  expect([...SHARED].sort()).toEqual(Object.keys(NOTHING).sort())
})

const HOUR = 3_600_000
const usage = { inputTokens: 10, outputTokens: 5, usd: 0.5 }

test("the book keeps hours for a day, days for a month, and the sum for ever", () => {
  const start = Date.UTC(2026, 0, 1)
  let kept = book(undefined, "m", usage, start)
  for (let hour = 1; hour < 24 * 90; hour++) kept = book(kept, hour % 2 ? "m" : "n", usage, start + hour * HOUR)
  expect(Object.keys(kept).length).toBeLessThan(24 + 2 + 31 + 2 + 1)
  const calls = [...totals(kept).values()].reduce((sum, one) => sum + one.calls, 0)
  expect(calls).toBe(24 * 90)
  const end = start + 24 * 90 * HOUR
  const lastHours = [...totals(kept, { sinceMs: end - 3 * HOUR }).values()].reduce((sum, one) => sum + one.calls, 0)
  expect(lastHours).toBe(3)
  expect([...totals(kept, { untilMs: start }).values()].reduce((sum, one) => sum + one.calls, 0)).toBeGreaterThan(0)
})

test("a chain grows by a send, shrinks by an answer, and keeps its last agents", () => {
  let cause = nextCause(null, "/a/0")
  for (let i = 1; i < 20; i++) cause = nextCause(cause, `/a/${i}`)
  expect(cause).toEqual({ hops: 20, chain: Array.from({ length: 8 }, (_, i) => `/a/${12 + i}`) })
  expect(returnedCause(cause)?.hops).toBe(19)
  expect(returnedCause(nextCause(null, "/a/0"))).toBeUndefined()
  expect(longerCause(cause, nextCause(null, "/b/1"))).toBe(cause)
  expect(longerCause(undefined, null)).toBeNull()
})

test("wakes are counted by the minute", () => {
  let rate = countWake(null, 0)
  for (let i = 1; i < 5; i++) rate = countWake(rate, i * 10_000)
  expect(rate).toEqual({ fromMs: 0, count: 5 })
  expect(countWake(rate, 60_000)).toEqual({ fromMs: 60_000, count: 1 })
})
