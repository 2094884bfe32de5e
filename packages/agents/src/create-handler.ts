import { modelsIn } from "./env-models.ts"
import { fetchHandler } from "./remote/handler.ts"
import type { FetchHandler, HandlerOptions } from "./remote/handler.ts"

/**
 * A fetch handler that runs wakes, for any web framework or runtime. It takes only what its server signed, and asks nothing of its host but
 * `fetch` and Web Crypto. Names of models are looked up among the providers that the environment has keys for.
 *
 * @throws {RouseError} `INVALID_ARGS` naming the option that is wrong.
 * @see docs/handlers.md
 */
export function createHandler(options: HandlerOptions): FetchHandler {
  return fetchHandler(options, modelsIn)
}
