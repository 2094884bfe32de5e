import { ATTEMPTS } from "@rouse/agents/runtime"

/** Every bound of the control plane. */
export interface Limits {
  /** Wakes under way at once in this process. */
  readonly wakesMax: number
  /** How long a lease lasts without a commit or a heartbeat. */
  readonly leaseMs: number
  /** The same for a handler that is not in the server's process. */
  readonly remoteLeaseMs: number
  /** How long a handler may go without a commit before its wake is taken away, unless its type says otherwise. */
  readonly handlerMs: number
  /** How long an aborted handler may take to return. */
  readonly graceMs: number
  /** Attempts that may throw or hang before a wake is dead-lettered, unless its type says otherwise. */
  readonly attemptsMax: number
  /** Leases that may be lost in a row without progress. Larger, since it is rarely the handler's fault. */
  readonly lossesMax: number
  /** How long one attempt of a wake may go on before it is to end at the next step and go on in another; null: as long as it takes. */
  readonly sliceMs: number | null
  /** Entities that may wait for a wake before messages from outside are refused. */
  readonly queuedMax: number
  /** Messages that may wait in one inbox. */
  readonly pendingMax: number
  /** Parents above an entity. */
  readonly depthMax: number
  /** Children that one entity may make. */
  readonly childrenMax: number
  /** Messages in a row that each made an agent send the next one, before the tree they arrive at is frozen. */
  readonly hopsMax: number
  /** Wakes of one entity in a minute that messages of other agents began. */
  readonly wakesPerMinuteMax: number
  /** The same of a whole tree, as this process sees it. */
  readonly treeWakesPerMinuteMax: number
  /** Bytes of a request's body. */
  readonly bodyBytesMax: number
  /** Bytes of one handler commit on the log. */
  readonly commitBytesMax: number
  /** Bytes of one attachment. */
  readonly attachmentBytesMax: number
  /** Attachments that come in at once: each holds a part or two in memory. */
  readonly uploadsMax: number
  /** How long an idempotency key is remembered. */
  readonly receiptMs: number
  /** Rows of one shared space. */
  readonly sharedRowsMax: number
  /** Bytes of one row of a shared space. */
  readonly sharedRowBytesMax: number
  /** Rows of one shared space that one holder may have claimed. */
  readonly sharedHeldMax: number
}

export const DEFAULT_LIMITS: Limits = {
  wakesMax: 2_048,
  leaseMs: 60_000,
  remoteLeaseMs: 30_000,
  handlerMs: 600_000,
  graceMs: 5_000,
  attemptsMax: ATTEMPTS,
  lossesMax: 25,
  sliceMs: null,
  queuedMax: 1_000_000,
  pendingMax: 10_000,
  depthMax: 32,
  childrenMax: 100_000,
  hopsMax: 128,
  wakesPerMinuteMax: 6_000,
  treeWakesPerMinuteMax: 60_000,
  bodyBytesMax: 1_048_576,
  commitBytesMax: 16_777_216,
  attachmentBytesMax: 134_217_728,
  uploadsMax: 16,
  receiptMs: 86_400_000,
  sharedRowsMax: 1_000_000,
  sharedRowBytesMax: 65_536,
  sharedHeldMax: 1_000,
}

/** How long the lease of a wake lasts. @param isRemote Whether its handler is not in the server's process. */
export function leaseMsOf(limits: Limits, isRemote: boolean): number {
  return isRemote ? limits.remoteLeaseMs : limits.leaseMs
}
