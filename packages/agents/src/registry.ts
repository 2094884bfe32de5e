import type { EntityDefinition } from "./entity.ts"

/**
 * Owns the process's entity types. It hangs on `globalThis`, so that two copies of this package (an author's and a host's)
 * share it.
 */
const REGISTRY = Symbol.for("rouse.entities")

type Registry = Map<string, EntityDefinition>

/** The registry that `defineEntity` writes to now. */
export function registry(): Registry {
  const holder = globalThis as { [REGISTRY]?: Registry }
  holder[REGISTRY] ??= new Map()
  return holder[REGISTRY]
}

/** The entity types defined so far. A snapshot: later definitions do not change it. */
export function registeredEntities(): ReadonlyMap<string, EntityDefinition> {
  return new Map(registry())
}

/** Forgets every definition. */
export function clearRegistry(): void {
  registry().clear()
}

/**
 * Runs `load`, and returns what it defined, leaving the process's registry as it was: for a reload, which must be able to fail
 * without harm. Not for two loads at the same time.
 */
export async function withRegistry(load: () => unknown): Promise<ReadonlyMap<string, EntityDefinition>> {
  const holder = globalThis as { [REGISTRY]?: Registry }
  const before = registry()
  const fresh: Registry = new Map()
  holder[REGISTRY] = fresh
  try {
    await load()
    return fresh
  } finally {
    holder[REGISTRY] = before
  }
}
