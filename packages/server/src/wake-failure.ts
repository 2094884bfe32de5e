import { backoffMs, RouseError } from "@rouse/protocol"
import { EndpointFailure } from "./dispatch/endpoint-failure.ts"
import type { Plane } from "./plane.ts"
import type { WakeFailure } from "./wake-end.ts"

/** The wait before a wake is tried again whose endpoint was not there. */
const PAUSE_MS = 500

/** What the failure of a handler, or of the way to it, means for its wake. */
export function failureOf(plane: Plane, error: unknown, attemptsMax: number): WakeFailure {
  // Its next attempt ends the run before the handler is called.
  if (RouseError.is(error, "SHUTTING_DOWN", "INTERRUPTED")) return { kind: "released" }
  const known = error instanceof Error ? error : new Error(String(error))
  const message = known.message || known.name
  // Its own store, most likely, and not the handler's fault.
  if (RouseError.is(error, "STORE_UNAVAILABLE")) return { kind: "lost", message }
  if (error instanceof EndpointFailure && error.kind !== "bad") {
    if (error.kind === "lost") return { kind: "lost", message }
    return { kind: "unreachable", message, dueAtMs: plane.clock() + backoffMs(1, PAUSE_MS, PAUSE_MS, plane.random()) }
  }
  const code = RouseError.is(error) ? { code: error.code } : {}
  const stack = known.stack === undefined || error instanceof EndpointFailure ? {} : { stack: known.stack }
  return { kind: "failed", message, ...stack, ...code, attemptsMax }
}
