import { describe, expect, test } from "vitest"
import { formatSummary, runCrash } from "../src/crash.ts"
import { hasPostgres } from "../src/postgres.ts"

/**
 * Three servers on one real Postgres, a load balancer that picks at random, and `kill -9` of any of them. `ROUSE_CRASH_SEED` repeats the choices of a run
 * that failed, `ROUSE_CRASH_REPLICA_KILLS` makes it longer.
 */
const SEED = Number(process.env["ROUSE_CRASH_SEED"] ?? Date.now() % 1_000_000_000)
const KILLS = Number(process.env["ROUSE_CRASH_REPLICA_KILLS"] ?? 3)
/** A bound, not a measure: a machine may be busy. */
const MS_MAX = 120_000 + KILLS * 20_000

describe.skipIf(!hasPostgres())("kill -9 of replicas at random moments", () => {
  test(`${KILLS} times breaks no promise`, { timeout: MS_MAX }, async () => {
    const { summary, violations } = await runCrash({ kills: KILLS, seed: SEED, replicas: 3, killMsMax: 500 })
    process.stdout.write(`${formatSummary(summary)}\n`)
    expect(violations.slice(0, 30), `seed ${SEED}\n${formatSummary(summary)}`).toEqual([])
    expect(summary).toMatchObject({ lost: 0, duplicated: 0, settled: summary.sent })
  })
})
