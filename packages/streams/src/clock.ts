/** The time, and a way to wait for it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Calls `run` once, `delayMs` from now. Returns what cancels it. */
  after(delayMs: number, run: () => void): () => void
}
