/** How long a client may take, and how much of what it sends or does not take is held. */
export interface FrontLimits {
  /** A request's head, from its first byte. Beyond it: 408. Default 15,000. */
  readonly headMs: number
  /** A whole request, from its first byte. Beyond it: 408. Default 120,000. */
  readonly requestMs: number
  /** The pause between two requests of a connection, and before the first. Beyond it: the connection ends. Default 65,000. */
  readonly keepAliveMs: number
  /** A reader that takes nothing of what is written. Beyond it: it is cut off. Default 60,000. */
  readonly stalledMs: number
  /** Open connections. Beyond them: the next is closed at once. Default 65,536. */
  readonly connectionsMax: number
}

/** The pause between two looks at all connections: a limit may be passed by so much. */
export const SWEEP_MS = 1_000
/** What is read ahead of a request that is being answered. Beyond it: nothing more is taken from the socket. */
export const AHEAD_BYTES_MAX = 65_536
/** What the client has not taken. Beyond it: nothing more is made for it. */
export const UNSENT_BYTES_MAX = 65_536
/** A shorter body is put behind its head, in one write. */
export const COPIED_BYTES_MAX = 16_384
/** How long, and how much, is heard of a client after the last answer of a connection, so that it is not cut off before it reads that. */
export const LINGER_MS = 5_000
export const LINGER_BYTES_MAX = 67_108_864

export function frontLimitsOf(given: Partial<FrontLimits>): FrontLimits {
  return {
    headMs: given.headMs ?? 15_000,
    requestMs: given.requestMs ?? 120_000,
    keepAliveMs: given.keepAliveMs ?? 65_000,
    stalledMs: given.stalledMs ?? 60_000,
    connectionsMax: given.connectionsMax ?? 65_536,
  }
}
