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

/**
 * Where several processes serve at once, for each wake that a kill cut off: from the kill to its next attempt, at another replica, milliseconds. Of kills
 * that may have done it the first is taken.
 */
export function takeoverTimes({ logs, lives }: History): readonly number[] {
  const killsMs = lives.flatMap(({ killedAtMs }) => killedAtMs ?? []).sort((a, b) => a - b)
  return logs.flatMap((log) =>
    [...valuesOf(log, "wake").values()].flatMap((values) => {
      const rows = values.flatMap((row) => row ?? [])
      return rows.flatMap((row, at) => {
        const next = rows[at + 1]
        if (row.outcome !== "lost" || row.endedAt === undefined || next === undefined) return []
        const begun = rows.findLast(({ attempt, endedAt }) => attempt === row.attempt && endedAt === undefined)
        const begunAtMs = Date.parse(begun?.at ?? row.at)
        const killMs = killsMs.find((ms) => ms >= begunAtMs)
        return killMs === undefined ? [] : [Date.parse(next.at) - killMs]
      })
    }),
  )
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
