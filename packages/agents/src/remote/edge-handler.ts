import { fetchHandler } from "./handler.ts"
import type { FetchHandler, HandlerOptions } from "./handler.ts"

/**
 * A fetch handler that runs wakes and brings no providers of models. Give `useAgent` a model of the AI SDK, or the handler `models`; of names it
 * knows `rouse/echo` alone.
 *
 * @throws {RouseError} `INVALID_ARGS` naming the option that is wrong.
 * @see docs/handlers.md
 */
export function createHandler(options: HandlerOptions): FetchHandler {
  return fetchHandler(options)
}
