/** How a finished wake leaves the run: over, to be continued, or failed for good. */
export type WakeEnd =
  | { readonly kind: "over" }
  /** @property left Messages that the handler has seen and left for when the run is over. */
  | { readonly kind: "suspended"; readonly left: number }
  | { readonly kind: "failed"; readonly reason: string }

export type WakeEvent =
  /** A message was accepted. `wakeId` names the wake, should this begin one. */
  | { readonly kind: "accept"; readonly count: number; readonly wakeId: string; readonly nowMs: number }
  | { readonly kind: "lease"; readonly nowMs: number; readonly expiresAtMs: number }
  /** Nobody can run the queued wake for now: it is looked at again then. */
  | { readonly kind: "hold"; readonly dueAtMs: number }
  | { readonly kind: "renew"; readonly epoch: number; readonly expiresAtMs: number; readonly progress: boolean }
  /** The run under way took messages. */
  | { readonly kind: "take"; readonly epoch: number; readonly count: number }
  | {
      readonly kind: "finish"
      readonly epoch: number
      readonly end: WakeEnd
      readonly wakeId: string
      readonly nowMs: number
    }
  | {
      readonly kind: "fail"
      readonly epoch: number
      readonly reason: string
      readonly attemptsMax: number
      readonly dueAtMs: number
    }
  /** The lease's holder is gone: it died, or let the lease expire. */
  | {
      readonly kind: "lose"
      readonly epoch: number
      readonly reason: string
      readonly lossesMax: number
      readonly dueAtMs: number
    }
  /** The holder gives the wake back unfinished, through no fault of it. */
  | { readonly kind: "release"; readonly epoch: number; readonly nowMs: number }
  /** The open run of a suspended or waiting entity was closed from outside. */
  | { readonly kind: "closeRun"; readonly wakeId: string; readonly nowMs: number }
  | { readonly kind: "pause" }
  | { readonly kind: "resume"; readonly wakeId: string; readonly nowMs: number }
  | { readonly kind: "retry"; readonly count: number; readonly wakeId: string; readonly nowMs: number }
  /** Dead messages were settled for good; so many are left. */
  | { readonly kind: "discard"; readonly left: number }
  /** The holder ends the wake at its deadline: the run goes on at once, in the next attempt. */
  | { readonly kind: "slice"; readonly epoch: number; readonly nowMs: number }
  | { readonly kind: "stop"; readonly reason: string }
