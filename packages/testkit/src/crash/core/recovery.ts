import type { History, Life } from "./history.ts"
import { valuesOf } from "./replay.ts"

/**
 * For each restart that found interrupted wakes: the time from the new process serving to the last of them under way again,
 * milliseconds. A restart that was itself killed before that says nothing.
 */
export function recoveryTimes({ logs, lives }: History): readonly number[] {
  const slowest = new Map<Life, number>()
  const cut = new Set<Life>()
  for (const log of logs) {
    for (const values of valuesOf(log, "wake").values()) {
      const rows = values.flatMap((row) => row ?? [])
      for (const [at, row] of rows.entries()) {
        if (row.outcome !== "lost" || row.endedAt === undefined) continue
        const life = lifeAt(lives, Date.parse(row.endedAt))
        const next = rows[at + 1]
        if (life?.readyAtMs === undefined) continue
        const resumedAtMs = next === undefined ? Number.NaN : Date.parse(next.at)
        if (Number.isNaN(resumedAtMs) || lifeAt(lives, resumedAtMs) !== life) cut.add(life)
        else slowest.set(life, Math.max(slowest.get(life) ?? 0, resumedAtMs - life.readyAtMs))
      }
    }
  }
  return [...slowest].filter(([life]) => !cut.has(life)).map(([, ms]) => ms)
}

/** From a process's spawn until it served, milliseconds. */
export function startTimes({ lives }: History): readonly number[] {
  return lives.flatMap(({ spawnedAtMs, readyAtMs }) => (readyAtMs === undefined ? [] : [readyAtMs - spawnedAtMs]))
}

function lifeAt(lives: readonly Life[], ms: number): Life | undefined {
  return lives.findLast(
    ({ spawnedAtMs, killedAtMs }) => spawnedAtMs <= ms && (killedAtMs === undefined || ms <= killedAtMs),
  )
}
