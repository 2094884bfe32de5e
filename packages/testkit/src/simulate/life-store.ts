import { RouseError } from "@rouse/protocol"
import type { Commit, CommitResult, Store } from "@rouse/store"
import type { Life } from "./life.ts"
import type { Monitor } from "./monitor.ts"
import type { World } from "./world.ts"

/**
 * The store as one life of a server sees it. A commit is applied to the real one at a moment of the world's; a crash before it loses
 * the commit, one after it and before the acknowledgement keeps it. Everything else is a read, or a sweep, and waits its turn too.
 */
export function lifeStore(real: Store, life: Life, world: World, monitor: Monitor): Store {
  const own: Pick<Store, "commit" | "watchStream" | "watchEntities" | "watchObservations" | "close"> = {
    commit: (commit) => commitOf(real, life, world, monitor, commit),
    watchStream: (path, listener) => real.watchStream(path, (event) => life.run(() => listener(event))),
    watchEntities: (listener) => real.watchEntities((record) => life.run(() => listener(record))),
    watchObservations: (listener) => real.watchObservations((dueAtMs) => life.run(() => listener(dueAtMs))),
    close: () => Promise.resolve(),
  }
  return new Proxy(real, {
    get: (target, name) => {
      if (Object.hasOwn(own, name)) return Reflect.get(own, name)
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== "function") return member
      return async (...args: unknown[]): Promise<unknown> => {
        await life.gate()
        return (await Reflect.apply(member, target, args)) as unknown
      }
    },
  })
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
