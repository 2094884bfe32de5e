/** Time, as the client uses it. Passed in so that tests need not wait. */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. */
  nowMs(): number
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The longest delay that `setTimeout` takes. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      throwIfAborted(signal)
      const abort = (): void => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      const timer = setTimeout(
        () => {
          signal?.removeEventListener("abort", abort)
          resolve()
        },
        Math.min(ms, TIMEOUT_MS_MAX),
      )
      signal?.addEventListener("abort", abort, { once: true })
    }),
}

export function isAborted(signal: AbortSignal | null | undefined): boolean {
  return signal?.aborted === true
}

/** The same as the signal's own method, which not every runtime has. */
export function throwIfAborted(signal: AbortSignal | null | undefined): void {
  if (signal?.aborted === true) throw signal.reason ?? new DOMException("The call was aborted.", "AbortError")
}
