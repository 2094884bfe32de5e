import { type Scenario, simulateScenario } from "@rouse/testkit/simulate"
import { describe, expect, test } from "vitest"
import { SCENARIOS } from "./pattern-scenarios.ts"

/** The patterns in a world where servers are killed, hang and lose answers: what comes of them is what comes of them on a quiet day. */

const SEEDS = Number(process.env["ROUSE_PATTERN_SEEDS"] ?? 40)
/** A bound, not a measure: a machine may be busy. */
const MS_MAX = 300_000

describe.each(Object.entries(SCENARIOS))("%s", (_name, scenario: Scenario) => {
  test(`ends as without faults, for ${SEEDS} seeds`, { timeout: MS_MAX }, async () => {
    const calm = await simulateScenario(scenario)
    expect(calm).toMatchObject({ violations: [], lives: 1 })
    let lives = 0
    for (let seed = 0; seed < SEEDS; seed += 1) {
      const rough = await simulateScenario(scenario, seed)
      expect({ ...rough, lives: 1 }, `seed ${seed}`).toEqual(calm)
      lives += rough.lives
    }
    // The worlds were ones that tell.
    expect(lives).toBeGreaterThan(SEEDS)
  })
})
