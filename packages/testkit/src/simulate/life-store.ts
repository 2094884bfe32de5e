import { RouseError } from "@rouse/protocol"
import type { Commit, CommitResult, Store } from "@rouse/store"
import type { Life } from "./life.ts"
import type { Monitor } from "./monitor.ts"
import type { World } from "./world.ts"

const READS = [
  "stream",
  "read",
  "entity",
  "entities",
  "rows",
  "rowCounts",
  "row",
  "dueEntities",
  "dueTimers",
  "nextDueAtMs",
  "receipt",
] as const

/**
 * The store as one life of a server sees it. A commit is applied to the real one at a moment of the world's; a crash before it loses
 * the commit, one after it and before the acknowledgement keeps it.
 */
export function lifeStore(real: Store, life: Life, world: World, monitor: Monitor): Store {
  const reads: Record<string, unknown> = {}
  for (const name of READS) {
    const read = real[name].bind(real) as (...args: unknown[]) => Promise<unknown>
    reads[name] = async (...args: unknown[]): Promise<unknown> => {
      await life.gate()
      return await read(...args)
    }
  }
  return {
    ...(reads as unknown as Pick<Store, (typeof READS)[number]>),
    commit: (commit) => commitOf(real, life, world, monitor, commit),
    watchStream: (path, listener) => real.watchStream(path, (event) => life.run(() => listener(event))),
    watchEntities: (listener) => real.watchEntities((record) => life.run(() => listener(record))),
    sweep: async (nowMs) => {
      await life.gate()
      return await real.sweep(nowMs)
    },
    check: () => real.check(),
    close: () => Promise.resolve(),
  }
}

async function commitOf(
  real: Store,
  life: Life,
  world: World,
  monitor: Monitor,
  commit: Commit,
): Promise<CommitResult> {
  await life.gate()
  const { random, weather } = world
  if (life.refuses || random.chance(weather.refused)) {
    const code = random.pick(["STORE_UNAVAILABLE", "OVERLOADED"] as const)
    throw new RouseError(code, "the simulated disk is full")
  }
  try {
    const result = await monitor.commit(commit, real)
    await life.gate()
    return result
  } catch (error) {
    await life.gate()
    throw error
  }
}
