import { RouseError } from "@rouse/protocol"
import { parsePathIn } from "./path.ts"
import { parseId } from "./subscription-request.ts"

/** What the protocol keeps under its own prefix. */
export type SubscriptionRoute =
  | { readonly kind: "keys" }
  | { readonly kind: "subscription"; readonly id: string }
  | { readonly kind: "streams"; readonly id: string }
  | { readonly kind: "stream"; readonly id: string; readonly path: string }
  | { readonly kind: "callback" | "claim" | "ack" | "release"; readonly id: string }

/**
 * @param segments After the prefix, decoded.
 * @throws {RouseError} `NOT_FOUND`; `BAD_REQUEST` when the identifier or the stream's path breaks a rule.
 */
export function parseRoute(segments: readonly string[]): SubscriptionRoute {
  const [area, id, action, ...rest] = segments
  if (area === "jwks.json" && id === undefined) return { kind: "keys" }
  if (area !== "subscriptions" || id === undefined) throw notFound()
  const known = parseId(id)
  if (action === undefined) return { kind: "subscription", id: known }
  if (action === "streams") {
    return rest.length === 0
      ? { kind: "streams", id: known }
      : { kind: "stream", id: known, path: parsePathIn("path", rest.join("/")) }
  }
  if (rest.length > 0) throw notFound()
  if (action === "callback" || action === "claim" || action === "ack" || action === "release") {
    return { kind: action, id: known }
  }
  throw notFound()
}

function notFound(): RouseError {
  return new RouseError("NOT_FOUND", "the protocol has nothing here; see /__ds/subscriptions/{id} and /__ds/jwks.json")
}
