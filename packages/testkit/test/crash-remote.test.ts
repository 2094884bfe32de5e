import { describe, expect, test } from "vitest"
import { formatSummary, runCrash } from "../src/crash.ts"
import type { RemoteSetup } from "../src/crash.ts"

/** Real processes, real `kill -9`, with the handlers in a process of their own. `ROUSE_CRASH_SEED` repeats the choices of a run that failed. */
const SEED = Number(process.env["ROUSE_CRASH_SEED"] ?? Date.now() % 1_000_000_000)
const KILLS = Number(process.env["ROUSE_CRASH_KILLS"] ?? 8)
const TEST_MS_MAX = 600_000
/** Longer lives than the server's own handlers get: a handler that was away is tried again after a pause. */
const KILL_MS_MAX = 700

const SETUPS: readonly RemoteSetup[] = [
  { way: "webhook", victim: "handler" },
  { way: "pull", victim: "handler" },
  { way: "webhook", victim: "server" },
  { way: "pull", victim: "server" },
]

describe("kill -9 with handlers in another process", () => {
  for (const remote of SETUPS) {
    test(`${remote.way}: of the ${remote.victim}, breaks no promise`, { timeout: TEST_MS_MAX }, async () => {
      const { summary, violations } = await runCrash({ seed: SEED, kills: KILLS, killMsMax: KILL_MS_MAX, remote })
      expect(violations.slice(0, 30), `seed ${SEED}\n${formatSummary(summary)}`).toEqual([])
      expect(summary).toMatchObject({ lost: 0, duplicated: 0, settled: summary.sent })
    })
  }
})
