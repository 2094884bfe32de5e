import { RouseError } from "@rouse/protocol"
import { echoModel } from "./echo.ts"
import { processEnv } from "./env.ts"
import type { Env } from "./env.ts"
import type { Host, ModelResolver } from "./host.ts"

/** The name of the model that needs neither a key nor a network. */
export const ECHO = "rouse/echo"

/**
 * Models for a host that brings no providers: `rouse/echo`, and no other name.
 *
 * @throws {RouseError} `MODEL_REFUSED` (from the resolver) saying what to give instead.
 */
export function offlineModels(env: Env = processEnv()): ModelResolver {
  return async (name) => {
    if (name === ECHO) return { model: echoModel({ paceMs: Number(env["ROUSE_ECHO_MS"]) || 0 }), name }
    throw new RouseError(
      "MODEL_REFUSED",
      `there are no providers here for the model ${JSON.stringify(name)}: give useAgent a model of the AI SDK, or the handler \`models\``,
    )
  }
}

const brought = new WeakMap<Host, ModelResolver>()

/** Says what names mean on a host that has no `models` of its own. The host stays the object that it is: its secrets are known by it. */
export function bringModels(host: Host, make: () => ModelResolver): void {
  if (host.models === undefined && !brought.has(host)) brought.set(host, make())
}

/** How names of models become models on a host. */
export function modelsOf(host: Host): ModelResolver {
  return host.models ?? brought.get(host) ?? offlineModels(host.env)
}
