import type { TryLimits } from "../core/http-verdict.ts"
import type { HttpReply } from "./exchange.ts"

/** A service that died is given about half a minute to come back before its call's outcome counts as unknown. */
export const RECONCILE_LIMITS: TryLimits = { attempts: 8, delayMs: 400, delayMsMax: 10_000 }

/** Statuses that say that a call did not happen. */
export const NOT_FOUND: ReadonlySet<number> = new Set([404, 410])

/** Whether an answer says that a call happened, where nobody says how to tell. */
export function happened({ status, body }: HttpReply): boolean {
  return !NOT_FOUND.has(status) && !(Array.isArray(body) && body.length === 0)
}
