import { expect, test } from "vitest"
import { runWorkerCrash } from "../src/crash/workers/run.ts"

/** Real processes, real `kill -9`. `ROUSE_CRASH_SEED` repeats the choices of a run, `ROUSE_WORKER_KILLS` makes it longer. */
const SEED = Number(process.env["ROUSE_CRASH_SEED"] ?? Date.now() % 1_000_000_000)
const KILLS = Number(process.env["ROUSE_WORKER_KILLS"] ?? 12)

test("kill -9 of workers, of the server, and of both breaks no promise", { timeout: 300_000 }, async () => {
  const { calls, violations } = await runWorkerCrash({ kills: KILLS, seed: SEED })
  expect(violations, `seed ${SEED}`).toEqual([])
  // The kills hit calls, and each class was resolved in its own way.
  const resolved = new Set(calls.flatMap(({ resolved }) => resolved ?? []))
  expect(resolved.size, `seed ${SEED}: ${calls.length} calls`).toBeGreaterThan(0)
  process.stdout.write(
    `${calls.length} calls: ${JSON.stringify(countBy(calls.map((call) => `${call.effect} ${call.status} ${call.resolved ?? ""}`)))}\n`,
  )
})

function countBy(keys: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1
  return counts
}
