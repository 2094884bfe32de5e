import { expect, it } from "vitest"
import { MACHINES, MEASURED, type ScaleOptions } from "../src/scale/costs.ts"
import { simulateScale } from "../src/scale/simulate.ts"
import { Timeline } from "../src/scale/timeline.ts"

const BASE: ScaleOptions = { replicas: 4, agents: 1_000_000, turnsPerSecond: 1_000, measuredMs: 1_000, seed: 7 }

/** Two replicas over 1,000 agents, as `npm run bench -- postgres-cost` measures them: within a third of what it measured. */
it("costs what two real replicas cost", () => {
  const machines = { modelMs: 0, databaseCores: 2 }
  const { replicaCpu, databaseCpu } = simulateScale({
    ...BASE,
    replicas: 2,
    agents: 1_000,
    turnsPerSecond: 700,
    machines,
  })
  const cpuMsOfTurn = { servers: (replicaCpu * 2 * 1_000) / 700, database: (databaseCpu * 2 * 1_000) / 700 }
  expect(cpuMsOfTurn.servers).toBeGreaterThan(1.36 * 0.67)
  expect(cpuMsOfTurn.servers).toBeLessThan(1.36 * 1.33)
  expect(cpuMsOfTurn.database).toBeGreaterThan(0.7 * 0.67)
  expect(cpuMsOfTurn.database).toBeLessThan(0.7 * 1.33)
})

it("says the same of the same seed, and another thing of another", () => {
  expect(simulateScale(BASE)).toEqual(simulateScale(BASE))
  expect(simulateScale({ ...BASE, seed: 8 })).not.toEqual(simulateScale(BASE))
})

it("uses a replica for rate times cost, and settles what is offered", () => {
  const { replicaCpu, settledPerSecond, walMbPerSecond, boundBy } = simulateScale({
    ...BASE,
    replicas: 1,
    turnsPerSecond: 600,
  })
  const { acceptMs, lookUpMs, finishMs, walBytes } = MEASURED
  expect(settledPerSecond / 600).toBeCloseTo(1, 0)
  expect(replicaCpu / ((600 * (acceptMs + lookUpMs + finishMs)) / 1_000)).toBeGreaterThan(0.9)
  expect(replicaCpu / ((600 * (acceptMs + lookUpMs + finishMs)) / 1_000)).toBeLessThan(1.1)
  expect(walMbPerSecond / ((600 * 2 * walBytes) / 1e6)).toBeGreaterThan(0.9)
  expect(walMbPerSecond / ((600 * 2 * walBytes) / 1e6)).toBeLessThan(1.1)
  expect(boundBy).toBe("nothing")
})

it("needs at least two round trips and syncs, and no time but that where nothing costs", () => {
  const costs = {
    acceptMs: 0,
    finishMs: 0,
    lookUpMs: 0,
    tellMs: 0,
    hearMs: 0,
    groupMs: 0,
    commitMs: 0,
    readMs: 0,
    notifyMs: 0,
    notifiedMs: 0,
  }
  const { beyondModelMs } = simulateScale({ ...BASE, replicas: 1, turnsPerSecond: 10, costs })
  const { roundTripMs, syncMs } = MACHINES
  // The accept is read for, looked up for, and written; the end is written. A sync may be waited for that is under way.
  expect(beyondModelMs.p50).toBeGreaterThanOrEqual(4 * roundTripMs + 2 * syncMs - 1e-6)
  expect(beyondModelMs.max).toBeLessThanOrEqual(4 * roundTripMs + 4 * syncMs + 1e-6)
})

it("gains nothing by more replicas than its database carries", () => {
  const slow = { ...BASE, turnsPerSecond: 2_000, machines: { walMbPerSecond: 40 } }
  const [some, twice] = [8, 16].map((replicas) => simulateScale({ ...slow, replicas }))
  expect(some?.boundBy).toBe("the WAL's disk")
  expect(some?.walMbPerSecond).toBeLessThan(42)
  expect(twice?.walMbPerSecond).toBeLessThan(42)
  expect(some?.settledPerSecond).toBeLessThan(0.9 * slow.turnsPerSecond)
  expect(twice?.settledPerSecond).toBeLessThan(0.9 * slow.turnsPerSecond)
})

it("gains by more replicas where they are what is full", () => {
  const [one, two] = [1, 2].map((replicas) => simulateScale({ ...BASE, replicas, turnsPerSecond: 1_600 }))
  expect(one?.boundBy).toBe("a replica's CPU")
  expect((two?.settledPerSecond ?? 0) / (one?.settledPerSecond ?? 1)).toBeGreaterThan(1.5)
})

it("leaves to others the wakes for which there is no room, and runs each once", () => {
  const { boundBy, settledPerSecond, refusedPerSecond } = simulateScale({
    ...BASE,
    replicas: 3,
    turnsPerSecond: 300,
    machines: { wakesMax: 50 },
  })
  expect(boundBy).toBe("room for wakes")
  expect(refusedPerSecond).toBeGreaterThan(0)
  // So many as have room at once, each for the time of the model.
  expect(settledPerSecond).toBeLessThanOrEqual(151)
  expect(settledPerSecond).toBeGreaterThan(120)
})

it("plans a commit again when another replica came first, and settles it all the same", () => {
  const { refusedPerSecond, settledPerSecond } = simulateScale({ ...BASE, agents: 20, machines: { modelMs: 5 } })
  expect(refusedPerSecond).toBeGreaterThan(0)
  expect(settledPerSecond).toBeGreaterThan(900)
})

it("has things happen in their order", () => {
  const timeline = new Timeline()
  const happened: string[] = []
  for (const [name, ms] of [
    ["c", 3],
    ["a", 1],
    ["b", 2],
    ["b2", 2],
    ["d", 9],
  ] as const) {
    timeline.after(ms, () => happened.push(`${name}@${timeline.nowMs}`))
  }
  timeline.runUntil(5)
  expect(happened).toEqual(["a@1", "b@2", "b2@2", "c@3"])
  expect(timeline.nowMs).toBe(5)
})
