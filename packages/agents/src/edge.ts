/** What a function on the edge loads: the same handler without the providers' packages, which its runtime would compile at every cold start. */
export { createHandler } from "./remote/edge-handler.ts"
export type { FetchHandler, HandlerOptions, Invocation } from "./remote/handler.ts"
