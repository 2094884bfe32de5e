import { type Plan, planOf, without } from "./simulate/core/plan.ts"
import { shrink } from "./simulate/core/shrink.ts"
import { type Plant, type PlantName, PLANTS } from "./simulate/plants.ts"
import { simulate, type Simulated } from "./simulate/simulation.ts"
import type { Violation } from "./crash/core/history.ts"

export { simulate } from "./simulate/simulation.ts"
export type { Simulated } from "./simulate/simulation.ts"
export { simulateScenario } from "./simulate/scenario.ts"
export type { Asking, Scenario, ScenarioOutcome } from "./simulate/scenario.ts"
export { planOf, without } from "./simulate/core/plan.ts"
export type { Plan } from "./simulate/core/plan.ts"
export { PLANTS } from "./simulate/plants.ts"
export type { Plant, PlantName } from "./simulate/plants.ts"

/** Runs that shrinking one seed may take. */
const SHRINKS_MAX = 60

export interface SimulateOptions {
  readonly seeds: number
  /** The first seed. 0 when absent. */
  readonly from?: number
  /** Parts of the plan that are left out: what a failing seed's report names. */
  readonly leftOut?: ReadonlySet<string>
  readonly plant?: PlantName
  /** Failing seeds after which it is enough. 5 when absent. */
  readonly failuresMax?: number
  readonly onProgress?: (done: number, failed: number) => void
  readonly onFailure?: (failed: FailedSeed) => void
}

/** A seed that broke a promise, as small as it could be made. */
export interface FailedSeed {
  readonly seed: number
  readonly violations: readonly Violation[]
  /** What is not needed for it to fail. */
  readonly leftOut: readonly string[]
  /** What replays it. */
  readonly command: string
}

export interface SimulateReport {
  readonly seeds: number
  readonly clean: number
  readonly failed: readonly FailedSeed[]
  /** Things that happened in all worlds, waits of servers among them, and servers that were started. */
  readonly steps: number
  readonly gates: number
  readonly lives: number
  readonly messages: number
  readonly effects: number
}

/** Runs seed after seed, and shrinks those that fail. */
export async function runSimulation(options: SimulateOptions): Promise<SimulateReport> {
  const { seeds, from = 0, leftOut = new Set(), plant, failuresMax = 5, onProgress, onFailure } = options
  const mistake: Plant | undefined = plant === undefined ? undefined : PLANTS[plant]
  const failed: FailedSeed[] = []
  const total = { steps: 0, gates: 0, lives: 0, messages: 0, effects: 0 }
  let done = 0
  while (done < seeds && failed.length < failuresMax) {
    const plan = without(planOf(from + done), leftOut)
    const result = await simulate(plan, mistake)
    add(total, result)
    if (result.violations.length > 0) {
      const found = await smallest(plan, leftOut, plant, mistake, result)
      failed.push(found)
      onFailure?.(found)
    }
    done += 1
    onProgress?.(done, failed.length)
  }
  return { seeds: done, clean: done - failed.length, failed, ...total }
}

async function smallest(
  plan: Plan,
  given: ReadonlySet<string>,
  plant: PlantName | undefined,
  mistake: Plant | undefined,
  first: Simulated,
): Promise<FailedSeed> {
  let { violations } = first
  const rule = violations[0]?.rule
  const found = await shrink(
    plan,
    async (names) => {
      const result = await simulate(without(plan, names), mistake)
      const fails = result.violations.some((violation) => violation.rule === rule)
      if (fails) violations = result.violations
      return fails
    },
    SHRINKS_MAX,
  )
  const leftOut = [...given, ...found]
  const command = [
    `npm run simulate -- --seed ${plan.seed}`,
    ...(leftOut.length > 0 ? [`--without ${leftOut.join(",")}`] : []),
    ...(plant === undefined ? [] : [`--plant ${plant}`]),
  ].join(" ")
  return { seed: plan.seed, violations, leftOut, command }
}

function add(total: Record<"steps" | "gates" | "lives" | "messages" | "effects", number>, result: Simulated): void {
  total.steps += result.steps
  total.gates += result.gates
  total.lives += result.lives
  total.messages += result.history.sent.length
  total.effects += result.history.effects.length
}
