import type { Circuits } from "./circuits.ts"
import type { ClaimTokens } from "./claim-token.ts"
import type { Deliveries } from "./deliveries.ts"
import type { PullDesk } from "./pull-desk.ts"
import type { Registry } from "./registry.ts"

/** What the control plane needs for handlers that are not in its process. */
export interface RemoteHandlers {
  readonly registry: Registry
  readonly claims: ClaimTokens
  readonly circuits: Circuits
  readonly pulls: PullDesk
  /** Undefined where the server sends no webhooks. */
  readonly deliveries: Deliveries | undefined
}
