import type { Redaction } from "@rouse/agents/runtime"
import type { ApprovalRule, EntityUrl } from "@rouse/protocol"
import type { Store } from "@rouse/store"
import type { RemoteHandlers } from "./dispatch/remote-handlers.ts"
import type { AttachmentDesk } from "./attachments/desk.ts"
import type { Dispatcher } from "./dispatcher.ts"
import type { TreeRates } from "./breakers.ts"
import type { Peers } from "./peers.ts"
import type { Limits } from "./limits.ts"
import type { Log } from "./log.ts"
import type { Settlements } from "./settlements.ts"
import type { Planning, Transactor } from "./transactor.ts"
import type { Types } from "./types.ts"
import type { WorkDesk } from "./work/desk.ts"

/** What every part of the control plane is given. */
export interface Plane {
  readonly store: Store
  readonly transactor: Transactor
  readonly settlements: Settlements
  readonly types: Types
  readonly limits: Limits
  readonly log: Log
  /** Milliseconds since the Unix epoch. */
  readonly clock: () => number
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Calls `fn` after `ms`; returns the cancellation. */
  readonly defer: Defer
  readonly dispatcher: Dispatcher
  /** The other processes that serve the same store. */
  readonly peers: Peers
  readonly remote: RemoteHandlers
  /** Says that something falls due at this time, so that the ticker looks then. */
  readonly dueAt: (ms: number) => void
  /** A claim of a shared space expires at this time. */
  readonly claimDueAt: (ms: number) => void
  /** Aborts the wake under way for an entity in this process, if there is one. */
  readonly abort: (url: EntityUrl, reason: Error) => void
  /** Tells who asked for what a plan settles, as part of it. Passed in, since it delivers, and all that delivers is planned. */
  readonly tellAskers: (planning: Planning) => Promise<void>
  readonly treeRates: TreeRates
  /** Where tool workers wait for calls. */
  readonly work: WorkDesk
  /** Takes the secrets that this process knows out of what workers and people say. */
  readonly redaction: Redaction
  /** Rules that ask for approvals, whatever the type. */
  readonly policy: readonly ApprovalRule[]
  readonly attachments: AttachmentDesk
  /** Pauses the rest of the tree below `root`: a breaker tripped at `cause`. */
  readonly freezeTree: (root: EntityUrl, cause: EntityUrl) => void
}

export type Defer = (ms: number, fn: () => void) => () => void
