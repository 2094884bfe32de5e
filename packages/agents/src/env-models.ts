import { processEnv } from "./env.ts"
import type { Env } from "./env.ts"
import type { ModelResolver } from "./host.ts"
import { modelResolver } from "./models.ts"

const resolvers = new WeakMap<Env, ModelResolver>()

/** The one resolver of an environment: its models are made once, not in every wake. */
export function modelsIn(env: Env = processEnv()): ModelResolver {
  let resolver = resolvers.get(env)
  if (resolver === undefined) resolvers.set(env, (resolver = modelResolver({ env })))
  return resolver
}
