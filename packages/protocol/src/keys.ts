/**
 * Keys of runs and what they hold: deterministic, so that a step written again after a crash has the same key, and sortable as
 * strings in the order things happened. `r000001`, `r000001-s0002`, `r000001-s0002-p003`.
 */

const pad = (n: number, width: number): string => String(n).padStart(width, "0")

/** The key of an entity's `n`th run, from 1. */
export function runKey(n: number): string {
  return `r${pad(n, 6)}`
}

/** The key of a run's `n`th step, from 1. */
export function stepKey(run: string, n: number): string {
  return `${run}-s${pad(n, 4)}`
}

/** The key of the part of a step at `index`, from 0: text, reasoning or tool call. */
export function partKey(step: string, index: number): string {
  return `${step}-p${pad(index, 3)}`
}
