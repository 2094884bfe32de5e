import { type EntityDefinition, runWake } from "@rouse/agents/runtime"
import type { WakeBackend, WakeRequest } from "@rouse/protocol"
import type { HeldLease } from "../handler-commit.ts"

/** What handlers in this process are given beside their wake. */
export type HandlerHost = Parameters<typeof runWake>[3]

/** A wake under way, as whoever runs its handler sees it. */
export interface RunningWake extends WakeBackend {
  readonly lease: HeldLease
  /** The run is to end, and why. */
  readonly interrupting: string | undefined
  /** Whether its finish is on disk. */
  readonly finished: boolean
  /** Aborts when the wake is over here, however it ended. */
  readonly over: AbortSignal
  /** The handler keeps the lease by itself from now on. Resolves when the wake is over. */
  detach(): Promise<void>
}

/** Runs the handler of one attempt of one wake. Resolves when its finish is on disk; rejects with why it failed. */
export interface WakeRunner {
  run(request: WakeRequest, wake: RunningWake): Promise<void>
}

/** Handlers in this process. */
export function localRunner(definition: EntityDefinition, host: HandlerHost): WakeRunner {
  return { run: (request, wake) => runWake(definition, request, wake, host) }
}
