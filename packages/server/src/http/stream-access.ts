import { RouseError } from "@rouse/protocol"
import { createRateLimit } from "@rouse/streams"
import type { Clock, StreamAccess, StreamsOptions } from "@rouse/streams"
import { admit, type GateOptions, scopeOf } from "./gate.ts"

/** What is set at the server: addresses among it may hold secrets. */
export const SETTINGS = "rouse/"

/** Who may use a server's streams over HTTP, beyond what the gate says. */
export interface StreamAccessOptions {
  /** Other sites whose pages may use the streams; `"*"` is all. Their requests carry a token all the same. */
  readonly corsOrigins?: readonly string[]
  /** Requests to streams a second that each token may make; without tokens, that all together may. No bound without. */
  readonly rateLimit?: number
}

/** The guard and the origins of a server's streams. The gate was passed: it is asked again only for whom to count. */
export function streamAccess(
  { corsOrigins, rateLimit }: StreamAccessOptions,
  gate: GateOptions,
  clock: Clock,
): Pick<StreamsOptions, "guard" | "cors"> {
  const count = rateLimit === undefined ? undefined : createRateLimit({ clock, perSecond: rateLimit })
  const guard = ({ path, request, target, subscription }: StreamAccess): void => {
    if (path.startsWith(SETTINGS)) {
      throw new RouseError("FORBIDDEN", "what is set at the server is no stream for others: see /v1/types")
    }
    // A request about a subscription is asked about once for each stream that it names.
    if (count === undefined || (subscription !== undefined && !path.startsWith("__ds/"))) return
    const asked = { method: request.method, url: target.origin + target.pathname, headers: request.headers }
    count(admit(asked, scopeOf(request.method, target.pathname), gate).id)
  }
  if (corsOrigins === undefined) return { guard }
  return { guard, cors: { origins: corsOrigins.includes("*") ? "*" : corsOrigins } }
}
