import { throwIfAborted } from "../clock.ts"
import type { AgentState } from "../live/agent-state.ts"
import type { LiveStore } from "../live/watched.ts"

/** An agent once its log was read. Somebody must be subscribed. @throws {RouseError} When it cannot be read. */
export function loaded(store: LiveStore<AgentState>, signal?: AbortSignal): Promise<AgentState> {
  return new Promise((resolve, reject) => {
    const check = (): void => {
      const state = store.get()
      const isOver = signal?.aborted === true || state.phase !== "loading"
      if (!isOver) return
      unsubscribe()
      signal?.removeEventListener("abort", check)
      try {
        throwIfAborted(signal)
        if (state.phase === "failed") throw state.error
        resolve(state)
      } catch (error) {
        reject(error)
      }
    }
    const unsubscribe = store.subscribe(check)
    signal?.addEventListener("abort", check)
    check()
  })
}
