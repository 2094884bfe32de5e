import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { describe, expect, test } from "vitest"
import { formatSummary, runCrash, whyNoNetwork } from "../src/crash.ts"
import type { CrashSummary, SharedVictim } from "../src/crash.ts"
import { hasPostgres, whyNoStandby } from "../src/postgres.ts"

/**
 * Three servers on one real Postgres, a load balancer that picks at random, and harm: `kill -9` of any of them or of the database, the primary's end, connections
 * that break, and partitions of the network. `ROUSE_CRASH_SEED` repeats the choices of a run that failed, `ROUSE_CRASH_REPLICA_KILLS` makes each longer.
 */
const SEED = Number(process.env["ROUSE_CRASH_SEED"] ?? Date.now() % 1_000_000_000)
const KILLS = process.env["ROUSE_CRASH_REPLICA_KILLS"]
/** A bound, not a measure: a machine may be busy. */
const msMax = (kills: number): number => 180_000 + kills * 40_000
const countOf = (few: number): number => Number(KILLS ?? few)

function expectKept(summary: CrashSummary, violations: readonly unknown[]): void {
  process.stdout.write(`${formatSummary(summary)}\n`)
  expect(violations.slice(0, 30), `seed ${SEED}\n${formatSummary(summary)}`).toEqual([])
  expect(summary).toMatchObject({ lost: 0, duplicated: 0, settled: summary.sent })
}

const few: Readonly<Record<Exclude<SharedVictim, "network">, number>> = {
  server: 3,
  database: 2,
  failover: 2,
  connections: 5,
}

describe.skipIf(!hasPostgres())("harm to replicas at random moments breaks no promise", () => {
  for (const [victim, count] of Object.entries(few) as [keyof typeof few, number][]) {
    const kills = countOf(count)
    const why = victim === "failover" ? whyNoStandby() : undefined
    test.skipIf(why !== undefined)(
      `to the ${victim}, ${kills} times ${why ?? ""}`,
      { timeout: msMax(kills) },
      async () => {
        const options = { replicas: 3, killMsMax: 500, sharedVictim: victim }
        const { summary, violations } = await runCrash({ kills, seed: SEED, ...options })
        expectKept(summary, violations)
      },
    )
  }

  const why = whyNoNetwork()
  const kills = countOf(2)
  test.skipIf(why !== undefined)(`to the network, ${kills} times ${why ?? ""}`, { timeout: msMax(kills) }, async () => {
    const main = fileURLToPath(new URL("../src/crash/main.ts", import.meta.url))
    const node = ["--conditions=@rouse/source", "--disable-warning=ExperimentalWarning", main]
    const how = [
      "--store",
      "postgres",
      "--victim",
      "network",
      "--kills",
      String(kills),
      "--seed",
      String(SEED),
      "--json",
    ]
    const { stdout } = await promisify(execFile)(process.execPath, [...node, ...how])
    expectKept(JSON.parse(stdout) as CrashSummary, [])
  })
})
