import { describe, expect, test } from "vitest"
import { formatSummary, runCrash } from "../src/crash.ts"
import type { CrashOptions, CrashReport } from "../src/crash.ts"

/**
 * Real processes, real `kill -9`. `ROUSE_CRASH_SEED` repeats the choices of a run that failed, `ROUSE_CRASH_KILLS` makes the long
 * run longer or shorter.
 */
const SEED = Number(process.env["ROUSE_CRASH_SEED"] ?? Date.now() % 1_000_000_000)
const KILLS = Number(process.env["ROUSE_CRASH_KILLS"] ?? 200)
/** Bounds, not measures: a machine may be busy. */
const SHORT_MS_MAX = 300_000
const LONG_MS_MAX = 1_800_000

async function crash(options: Omit<CrashOptions, "seed">): Promise<CrashReport> {
  try {
    return await runCrash({ seed: SEED, ...options })
  } catch (error) {
    throw new Error(`with seed ${SEED}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

function expectKept({ summary, violations }: CrashReport): void {
  expect(violations.slice(0, 30), `seed ${SEED}\n${formatSummary(summary)}`).toEqual([])
  expect(summary).toMatchObject({ lost: 0, duplicated: 0, settled: summary.sent })
}

describe("kill -9 of the server at random moments", () => {
  test("a few times breaks no promise", { timeout: SHORT_MS_MAX }, async () => {
    const report = await crash({ kills: 12 })
    expectKept(report)
    expect(report.summary.interrupted).toBeGreaterThan(0)
  })

  test(`${KILLS} times breaks no promise, with tools of every effect class`, { timeout: LONG_MS_MAX }, async () => {
    const report = await crash({ kills: KILLS, agents: 8 })
    process.stdout.write(`${formatSummary(report.summary)}\n`)
    expectKept(report)
    // The run was one that tells: crashes hit calls of every class, and each was resolved in its own way.
    const { pure, idempotent, reconcilable, once } = report.summary.byClass
    expect(Math.min(pure.again, idempotent.again, reconcilable.reconciled, once.unknown)).toBeGreaterThan(0)
  })
})

describe("a planted mistake is found", () => {
  const found = async (plant: NonNullable<CrashOptions["plant"]>): Promise<readonly string[]> => {
    try {
      const { violations } = await crash({ kills: 20, plant })
      return violations.map(({ rule, what }) => `${rule} ${what}`)
    } catch (error) {
      // A system that never comes to rest has broken P1 for all to see.
      if (error instanceof Error && error.message.includes("still busy")) return [`P1 ${error.message}`]
      throw error
    }
  }

  test("once tools that run again after a crash", { timeout: SHORT_MS_MAX }, async () => {
    expect(await found("rerun-once")).toContainEqual(expect.stringMatching(/^P2 .*(ran again|began)/))
  })

  test("messages that are acknowledged before they are on disk", { timeout: SHORT_MS_MAX }, async () => {
    expect(await found("early-ack")).toContainEqual(expect.stringMatching(/^P1 /))
  })

  test("a retried wake that forgot what it had sent", { timeout: SHORT_MS_MAX }, async () => {
    expect(await found("forget-memos")).toContainEqual(expect.stringMatching(/^P2 arrived \d+ times/))
  })
})
