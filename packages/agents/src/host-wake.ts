import type { WakeBackend, WakeRequest } from "@rouse/protocol"
import type { EntityDefinition } from "./entity.ts"
import { modelsIn } from "./env-models.ts"
import type { Host } from "./host.ts"
import { bringModels } from "./offline-models.ts"
import { runWake as run } from "./run-wake.ts"

/** Runs one attempt of one wake (`run-wake.ts`) on a host that may leave out how models are found: by the keys of its environment then. */
export function runWake(
  definition: EntityDefinition,
  request: WakeRequest,
  backend: WakeBackend,
  host: Host,
): Promise<void> {
  bringModels(host, () => modelsIn(host.env))
  return run(definition, request, backend, host)
}
